/**
 * JSON whose integers keep their digits. Python writes integers of any length; a JavaScript number holds 53 bits, and
 * `JSON.parse` rounds without an error. Ids of orders, posts and messages are such integers.
 *
 * @module
 */

/** JSON.parse source text access (V8 11.4, Node 21): the types of TypeScript lack it. */
interface JsonWithSource {
  readonly parse: (text: string, reviver: (key: string, value: unknown, at: { source?: string }) => unknown) => unknown;
  readonly rawJSON: (text: string) => unknown;
  readonly isRawJSON: (value: unknown) => value is { readonly rawJSON: string };
}
const json = JSON as unknown as JsonWithSource;

/** Shorter numbers are always held. */
const MAY_BE_LOST = /\d{16}|e\+?\d{3}/i;

/**
 * The value of JSON text. An integer that JavaScript would print in other digits becomes an object that `JSON.stringify`
 * writes as it was; {@link lostNumbers} finds those that no number can hold.
 *
 * @throws SyntaxError for text that is not JSON
 */
export function parseWithDigits(text: string): unknown {
  if (!MAY_BE_LOST.test(text)) return JSON.parse(text);
  return json.parse(text, (_, value, { source = '' }) =>
    typeof value === 'number' && isPrintedOtherwise(value, source) ? json.rawJSON(source) : value,
  );
}

/** Whether it is an object of {@link parseWithDigits} that is a number in JSON. */
export function isNumberWithDigits(value: unknown): boolean {
  return json.isRawJSON(value);
}

/** Fractions are rounded everywhere, in Python as well. */
function isPrintedOtherwise(value: number, source: string): boolean {
  return !Number.isFinite(value) || (!Number.isSafeInteger(value) && INTEGER.test(source));
}

const INTEGER = /^-?\d+$/;

function isLost(source: string): boolean {
  const value = Number(source);
  return !Number.isFinite(value) || BigInt(value) !== BigInt(source);
}

/** A number that JavaScript cannot hold. */
export interface LostNumber {
  /** Where it is: `orders.0.id`; `''` for the value itself. */
  readonly path: string;
  readonly digits: string;
}

/** Most numbers that are named. */
const NAMED = 5;

/** The first numbers in a value of {@link parseWithDigits} that JavaScript cannot hold. */
export function lostNumbers(value: unknown): readonly LostNumber[] {
  const found: LostNumber[] = [];
  const walk = (part: unknown, path: string): void => {
    if (found.length >= NAMED || typeof part !== 'object' || part === null) return;
    if (json.isRawJSON(part)) {
      if (isLost(part.rawJSON)) found.push({ path, digits: part.rawJSON });
    } else for (const [key, inner] of Object.entries(part)) walk(inner, path === '' ? key : `${path}.${key}`);
  };
  walk(value, '');
  return found;
}

/** The value with plain numbers alone: rounded where JavaScript cannot hold them. */
export function asNumbers(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (json.isRawJSON(value)) return Number(value.rawJSON);
  if (Array.isArray(value)) return value.map(asNumbers);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asNumbers(inner)]));
}

/** Longest integer that a message repeats. */
const SHOWN_DIGITS = 40;

/** The message about a number that JavaScript cannot hold. */
export function lostDigits({ path, digits }: LostNumber): string {
  const shown = digits.length > SHOWN_DIGITS ? `${digits.slice(0, SHOWN_DIGITS)}…` : digits;
  return `${path === '' ? '' : `${path}: `}${shown} does not fit into a number, which would change its digits: declare it as a string`;
}
