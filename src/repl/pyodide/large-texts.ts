/**
 * Large texts of the caller's go the way of files: straight into Python's memory, not through the channel, where they
 * would exist three times over.
 *
 * @module
 */
import { memoryText } from '../channel/index.ts';
import type { DocumentValue, Repl, ReplBindings, ReplValue } from '../port.ts';

/** Characters from which on a text takes the other way. */
const LARGE = 256 * 1024;

/** The REPL, with `bind` sending large texts by the data pipe. */
export function bindLargeTexts(repl: Repl): Repl {
  const convert = (name: string, value: ReplValue): ReplValue => {
    if (value.kind === 'text' && value.text.length >= LARGE) return memoryText({ path: name, text: value.text });
    if (value.kind === 'json' && value.json.length >= LARGE)
      return memoryText({ path: name, text: value.json, as: 'json' });
    if (value.kind !== 'documents') return value;
    return { ...value, documents: value.documents.map(convertDocument) };
  };
  const convertDocument = (document: DocumentValue): DocumentValue => {
    const { path, content } = document;
    if (content.kind !== 'text' || content.text.length < LARGE) return document;
    return { ...document, content: memoryText({ path, text: content.text }) };
  };
  return {
    ...repl,
    bind(bindings: ReplBindings) {
      if (bindings.values === undefined) return repl.bind(bindings);
      const values = Object.entries(bindings.values).map(([name, value]) => [name, convert(name, value)] as const);
      return repl.bind({ ...bindings, values: Object.fromEntries(values) });
    },
  };
}
