import { fileText } from '../context/context-text.ts';
import type { ContextSet, LoadedContext, Projection } from '../context/index.ts';
import type { FileValue, JsonValue, ReplValue } from '../repl/port.ts';

/** Bytes of a file in which quotes are looked for: all of it is read for that. */
const MOST_BYTES = 256 * 1024 * 1024;

/** A document of the context, as citations name it. */
export interface SourceText {
  /** The names it goes by; the first is the one to show. */
  readonly names: readonly string[];
  /** Its text; undefined where it has none, such as a file of bytes. */
  readonly read: () => Promise<string | undefined>;
}

/** The documents of a context: a text is one, an item of a list or mapping is one, a value read from the host as well. */
export async function sourceTexts(set: ContextSet): Promise<readonly SourceText[]> {
  if (set.kind === 'one') return await sourcesOf('context', set.context);
  const all = [...set.contexts].map(async ([name, context]) => {
    const sources = await sourcesOf(name, context);
    return sources.map((source) => ({
      ...source,
      names: [...source.names, ...source.names.map((one) => `${name}/${one}`)],
    }));
  });
  return (await Promise.all(all)).flat();
}

async function sourcesOf(name: string, { value, projection }: LoadedContext): Promise<readonly SourceText[]> {
  if (projection !== undefined && value.kind === 'projection') return await ofProjection(name, projection);
  return ofValue(name, value);
}

function ofValue(name: string, value: ReplValue): readonly SourceText[] {
  switch (value.kind) {
    case 'text':
    case 'file':
      return [{ names: [name], read: () => textOf(value) }];
    case 'json':
      return ofJson(name, JSON.parse(value.json) as JsonValue);
    case 'document':
      return [{ names: [name, value.path], read: () => textOf(value.text ?? value.file) }];
    case 'documents':
      return value.documents.map(({ path, content }) => ({ names: [path], read: () => textOf(content) }));
    default:
      return [];
  }
}

async function textOf(value: ReplValue | FileValue): Promise<string | undefined> {
  if (value.kind === 'text') return value.text;
  if (value.kind !== 'file' || value.bytes > MOST_BYTES) return undefined;
  const whole = await fileText(value);
  return 'text' in whole ? whole.text : undefined;
}

function ofJson(name: string, value: JsonValue): readonly SourceText[] {
  if (typeof value !== 'object' || value === null) return [{ names: [name], read: async () => leaves(value) }];
  return Object.entries(value).map(([key, item]) => ({
    names: [key, `${name}[${key}]`],
    read: async () => leaves(item),
  }));
}

/** The strings and numbers in a JSON value, one a line: a text as it is. */
function leaves(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return Object.values(value).map(leaves).join('\n');
}

async function ofProjection(name: string, projection: Projection): Promise<readonly SourceText[]> {
  switch (projection.shape) {
    case 'text':
      return [{ names: [name], read: async () => await projection.slice(0, await projection.length()) }];
    case 'list': {
      const length = await projection.length();
      return Array.from({ length }, (_, index) => ({
        names: [String(index), `${name}[${index}]`],
        read: async () => leaves((await projection.slice(index, index + 1))[0] ?? null),
      }));
    }
    case 'mapping':
      return (await projection.keys()).map((key) => ({
        names: [key],
        read: async () => leaves((await projection.get(key)) ?? null),
      }));
  }
}
