import type { JsonValue } from '../../repl/port.ts';

/** Bytes of a binary value that are shown. */
const MOST_BYTES = 1_024;

declare global {
  interface JSON {
    /** JSON text as it is, for integers that a number cannot hold. */
    rawJSON(text: string): unknown;
  }
}

/** A value of a database as JSON: integers exact, dates in ISO 8601, bytes in hexadecimal. */
export function cellValue(value: unknown): JsonValue {
  switch (typeof value) {
    case 'bigint':
      // `JSON.stringify` writes its digits.
      return JSON.rawJSON(String(value)) as JsonValue;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      return objectValue(value);
    default:
      return null;
  }
}

function objectValue(value: object | null): JsonValue {
  if (value === null) return null;
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? null : value.toISOString().replace(/T00:00:00\.000Z$/, '');
  if (value instanceof Uint8Array) {
    const hex = Buffer.from(value.subarray(0, MOST_BYTES)).toString('hex');
    return value.length > MOST_BYTES ? `${hex}… (${value.length} bytes)` : hex;
  }
  if (Array.isArray(value)) return value.map(cellValue);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cellValue(inner)]));
}
