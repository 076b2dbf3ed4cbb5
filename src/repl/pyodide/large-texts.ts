/**
 * Large texts of the caller's go the way of files: straight into Python's memory, not through the channel, where they
 * would exist three times over.
 *
 * @module
 */
import type { DocumentValue, FileValue, Repl, ReplBindings, ReplValue } from '../port.ts';

/** Characters from which on a text takes the other way. */
const LARGE = 256 * 1024;

/** The REPL, with `bind` sending large texts by the data pipe; `inMemory` says which value stands for which text. */
export function bindLargeTexts(repl: Repl, inMemory: WeakMap<FileValue, string>): Repl {
  const standIn = (path: string, text: string, as: FileValue['as']): FileValue => {
    const value: FileValue = { kind: 'file', path, bytes: text.length, encoding: 'utf-8', skip: 0, as };
    inMemory.set(value, text);
    return value;
  };
  const convert = (name: string, value: ReplValue): ReplValue => {
    if (value.kind === 'text' && value.text.length >= LARGE) return standIn(name, value.text, 'text');
    if (value.kind === 'json' && value.json.length >= LARGE) return standIn(name, value.json, 'json');
    if (value.kind !== 'documents') return value;
    return { kind: 'documents', documents: value.documents.map(convertDocument) };
  };
  const convertDocument = (document: DocumentValue): DocumentValue => {
    const { path, content } = document;
    if (content.kind !== 'text' || content.text.length < LARGE) return document;
    return { path, content: standIn(path, content.text, 'text') };
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
