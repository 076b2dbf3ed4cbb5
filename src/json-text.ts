import { messageOf } from './errors.ts';

/**
 * JSON text of a value that a caller gave. Nothing is dropped silently: what JSON cannot hold is an error.
 *
 * @param refuse makes the error from what is wrong, e.g. `the value at "a" is a function, which is not JSON`
 */
export function jsonText(value: unknown, refuse: (what: string) => Error): string {
  let refused: Error | undefined;
  // The holder has the part as it was given: `JSON.stringify` calls its `toJSON` first.
  function check(this: Readonly<Record<string, unknown>>, key: string, part: unknown): unknown {
    const problem = problemOf(this[key], part);
    if (problem === undefined) return part;
    refused = refuse(`the value${key === '' ? '' : ` at "${key}"`} is ${problem}`);
    throw refused;
  }
  try {
    return JSON.stringify(value, check);
  } catch (error) {
    // Else a cycle, or a `toJSON` that throws.
    throw refused ?? refuse(`it cannot be written as JSON: ${messageOf(error)}`);
  }
}

function problemOf(given: unknown, part: unknown): string | undefined {
  const type = typeof part;
  if (typeof given === 'object' && given !== null) {
    const foreign = foreignKind(given);
    if (foreign !== undefined) return foreign;
  }
  if (type === 'undefined') return 'undefined, which is not JSON';
  if (type === 'function' || type === 'symbol' || type === 'bigint') return `a ${type}, which is not JSON`;
  if (type === 'number' && !Number.isFinite(part)) return `${String(part)}, which is not JSON`;
  if (type !== 'object' || part === null || Array.isArray(part)) return undefined;
  return holdsMore(part as object) ? `a ${nameOf(part as object)}, of which JSON would keep nothing` : undefined;
}

/** Objects that users give by mistake, with what to give in their place. */
function foreignKind(object: object): string | undefined {
  const name = nameOf(object);
  const has = (method: string): boolean => typeof (object as Record<string, unknown>)[method] === 'function';
  if (ArrayBuffer.isView(object) || object instanceof ArrayBuffer || object instanceof SharedArrayBuffer)
    return `binary data (${name}): decode it, for example with new TextDecoder().decode(bytes), or name its file with fromFile(path)`;
  if (object instanceof URL)
    return 'a URL, which is not fetched: give the text behind it, or its path with fromFile(fileURLToPath(url)), or String(url)';
  if (has('then')) return `a ${name}: await it first`;
  if (object instanceof Map) return 'a Map: give Object.fromEntries(map)';
  if (object instanceof Set) return 'a Set: give [...set]';
  if (has('pipe') || has('getReader') || Symbol.asyncIterator in object)
    return `a stream (${name}): read it first, for example with text(stream) of node:stream/consumers, or name its file with fromFile(path)`;
  if (has('arrayBuffer') && has('text')) return `a ${name}: give its text, await value.text()`;
  if (Object.getOwnPropertySymbols(object).some((symbol) => String(symbol).includes('fathom-rlm')))
    return 'a context source: several contexts are given by name, contexts({ before: fromFile(path), after: … })';
  return undefined;
}

/** An object whose content is not in its fields. */
function holdsMore(object: object): boolean {
  if (Object.getOwnPropertySymbols(object).length > 0) return true;
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype !== Object.prototype && prototype !== null && Object.keys(object).length === 0;
}

function nameOf(object: object): string {
  const name: unknown = object.constructor?.name;
  return typeof name === 'string' && name !== 'Object' ? name : 'object';
}
