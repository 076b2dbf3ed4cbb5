import { messageOf } from './errors.ts';

/**
 * JSON text of a value that a caller handed over. Nothing is dropped silently: what JSON cannot hold is an error.
 *
 * @param refuse makes the error from what is wrong, e.g. `the value at "a" is a function, which is not JSON`
 */
export function jsonText(value: unknown, refuse: (what: string) => Error): string {
  let refused: Error | undefined;
  const check = (key: string, part: unknown): unknown => {
    const problem = problemOf(part);
    if (problem === undefined) return part;
    refused = refuse(`the value${key === '' ? '' : ` at "${key}"`} is ${problem}`);
    throw refused;
  };
  try {
    return JSON.stringify(value, check);
  } catch (error) {
    // Else a cycle, or a `toJSON` that throws.
    throw refused ?? refuse(`it cannot be written as JSON: ${messageOf(error)}`);
  }
}

function problemOf(part: unknown): string | undefined {
  const type = typeof part;
  if (type === 'undefined') return 'undefined, which is not JSON';
  if (type === 'function' || type === 'symbol' || type === 'bigint') return `a ${type}, which is not JSON`;
  if (type === 'number' && !Number.isFinite(part)) return `${String(part)}, which is not JSON`;
  if (type !== 'object' || part === null || Array.isArray(part)) return undefined;
  return holdsMore(part as object) ? `a ${nameOf(part as object)}, of which JSON would keep nothing` : undefined;
}

/** A `Map`, a `Set`, binary data, a context source: an object whose content is not in its fields. */
function holdsMore(object: object): boolean {
  if (ArrayBuffer.isView(object) || Object.getOwnPropertySymbols(object).length > 0) return true;
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype !== Object.prototype && prototype !== null && Object.keys(object).length === 0;
}

function nameOf(object: object): string {
  const name: unknown = object.constructor?.name;
  return typeof name === 'string' && name !== 'Object' ? name : 'context source';
}
