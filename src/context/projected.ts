import type { JsonValue } from '../repl/port.ts';
import { type ContextSource, contextSource, type LoadedContext, type Projection } from './input.ts';

/** A value that stays on the host; cells read parts of it on demand. Reads may be asynchronous. */
export type ProjectedSource =
  | {
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

async function load(source: ProjectedSource): Promise<LoadedContext> {
  if ('mapping' in source) {
    const { mapping } = source;
    const size = (await mapping.keys()).length;
    return describe({ shape: 'mapping', keys: () => mapping.keys(), get: (key) => mapping.get(key) }, size, 'keys');
  }
  if ('list' in source) {
    const { list } = source;
    const projection: Projection = { shape: 'list', length: () => list.length(), slice: (a, b) => list.slice(a, b) };
    return describe(projection, await list.length(), 'items');
  }
  const { text } = source;
  const projection: Projection = { shape: 'text', length: () => text.length(), slice: (a, b) => text.slice(a, b) };
  return describe(projection, await text.length(), 'characters');
}

const PYTHON_TYPE = { text: 'lazy text', list: 'lazy list', mapping: 'lazy mapping' } as const;

function describe(projection: Projection, size: number, unit: string): LoadedContext {
  return {
    // The id is given when the context is bound under a name.
    value: { kind: 'projection', id: '', shape: projection.shape, size },
    type: PYTHON_TYPE[projection.shape],
    size,
    unit,
    preview: undefined,
    empty: size === 0,
    projection,
  };
}
