import { kindOf } from '../argument-checks.ts';
import { codePoints } from '../code-points.ts';
import { messageOf } from '../errors.ts';
import { jsonText } from '../json-text.ts';
import type { JsonValue } from '../repl/port.ts';
import { wrongArgument } from './file-options.ts';
import { type ContextSource, contextSource, type LoadedContext, type Projection } from './input.ts';

/**
 * A value that stays on the host; cells read parts of it on demand. It is a text, a list or a `Map` of this process, or
 * functions that read one from elsewhere; they may be asynchronous.
 */
export type ProjectedSource =
  | string
  | readonly JsonValue[]
  | ReadonlyMap<string, JsonValue>
  | {
      /** Lengths and positions are code points, as Python counts; a text given as a string is cut by them anyway. */
      readonly text: {
        length(): number | Promise<number>;
        slice(start: number, stop: number): string | Promise<string>;
      };
    }
  | {
      readonly list: {
        length(): number | Promise<number>;
        slice(start: number, stop: number): readonly JsonValue[] | Promise<readonly JsonValue[]>;
      };
    }
  | {
      readonly mapping: {
        keys(): readonly string[] | Promise<readonly string[]>;
        get(key: string): JsonValue | undefined | Promise<JsonValue | undefined>;
      };
    };

/**
 * A context read on demand from the host: text by code point, a list by index, or a mapping by key. Each read is one
 * call from the cell, bounded by `toolTimeoutMs`.
 *
 * @example
 * ```ts
 * const rows = projected({ list: { length: () => db.count(), slice: (start, stop) => db.rows(start, stop) } });
 * ```
 */
export function projected(source: ProjectedSource): ContextSource {
  return contextSource(async () => load(source));
}

const PYTHON_TYPE = { text: 'lazy text', list: 'lazy list', mapping: 'lazy mapping' } as const;
const UNIT = { text: 'characters', list: 'items', mapping: 'keys' } as const;

async function load(source: ProjectedSource): Promise<LoadedContext> {
  const projection = projectionOf(source);
  const { shape } = projection;
  const size = await sizeOf(projection);
  return {
    // The id is given when the context is bound under a name.
    value: { kind: 'projection', id: '', shape, size },
    type: PYTHON_TYPE[shape],
    size,
    unit: UNIT[shape],
    preview: undefined,
    empty: size === 0,
    projection,
  };
}

async function sizeOf(projection: Projection): Promise<number> {
  let size: unknown;
  try {
    size = projection.shape === 'mapping' ? (await projection.keys()).length : await projection.length();
  } catch (error) {
    throw wrongArgument(`the size of the projected ${projection.shape} could not be read: ${messageOf(error)}`);
  }
  if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) return size;
  throw wrongArgument(
    `the length of the projected ${projection.shape} is ${String(size)}, which is not a whole number`,
  );
}

function projectionOf(source: unknown): Projection {
  if (typeof source === 'string') return textOf(source);
  if (Array.isArray(source)) return listOf(source);
  if (source instanceof Map) return mappingOf(source);
  if (typeof source === 'object' && source !== null) {
    if ('text' in source) return textOf(source.text);
    if ('list' in source) return listOf(source.list);
    if ('mapping' in source) return mappingOf(source.mapping);
  }
  throw wrongArgument(
    `projected takes a text, a list, a Map, or an object with text, list or mapping, not ${kindOf(source)}`,
  );
}

function textOf(text: unknown): Projection {
  if (typeof text === 'string') {
    const { length, slice } = codePoints(text);
    return { shape: 'text', length: () => length, slice };
  }
  const reader = readerOf('text', text, ['length', 'slice']);
  return { shape: 'text', length: () => reader.length() as number, slice: (a, b) => reader.slice(a, b) as string };
}

function listOf(list: unknown): Projection {
  if (Array.isArray(list)) {
    checkJson('list', list);
    return { shape: 'list', length: () => list.length, slice: (start, stop) => list.slice(start, stop) };
  }
  const reader = readerOf('list', list, ['length', 'slice']);
  return { shape: 'list', length: () => reader.length() as number, slice: (a, b) => reader.slice(a, b) as JsonValue[] };
}

function mappingOf(mapping: unknown): Projection {
  if (mapping instanceof Map) checkJson('mapping', Object.fromEntries(mapping));
  const reader = readerOf('mapping', mapping, ['keys', 'get']);
  return {
    shape: 'mapping',
    keys: async () => [...((await reader.keys()) as Iterable<string>)],
    get: (key) => reader.get(key) as JsonValue | undefined,
  };
}

type Reader<Name extends string> = Readonly<Record<Name, (...values: readonly unknown[]) => unknown>>;

function readerOf<Name extends string>(shape: string, value: unknown, names: readonly Name[]): Reader<Name> {
  if (isReader(value, names)) return value;
  throw wrongArgument(
    `a projected ${shape} needs an object with the functions ${names.join(' and ')}, and this is ${kindOf(value)}`,
  );
}

function isReader<Name extends string>(value: unknown, names: readonly Name[]): value is Reader<Name> {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function');
}

/** Finds values that JSON cannot hold now, not when a cell reads them. */
function checkJson(shape: string, value: unknown): void {
  jsonText(value, (what) => wrongArgument(`in the projected ${shape}, ${what}`));
}
