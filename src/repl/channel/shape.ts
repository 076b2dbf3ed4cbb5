/**
 * Checks of what guests send. Every reader throws a {@link ChannelViolation} that names the field; objects from JSON
 * are only ever read by name, never merged or kept.
 *
 * @module
 */
import { characterBoundary } from '../../code-points.ts';
import type { parseWithDigits } from '../../json-digits.ts';
import { detached } from '../error-text.ts';
import { ChannelViolation, MAX_VARIABLES } from './limits.ts';

/** An object from JSON, read field by field. */
export type Fields = { readonly [name: string]: unknown };

/** The fields of a header. */
export function readObject(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ChannelViolation(`${what} is not an object`);
  }
  return value as Fields;
}

/** A field of its own; inherited names such as `constructor` are absent. */
export function field(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** A string of at most `max` characters; lone surrogates become U+FFFD. */
export function readString(fields: Fields, name: string, max: number = 1_000_000): string {
  const value = field(fields, name);
  if (typeof value !== 'string' || value.length > max) throw new ChannelViolation(`${name} is not a valid string`);
  return value.toWellFormed();
}

/** A string of which at most `max` characters are kept: for texts that are only shown. */
export function readShown(fields: Fields, name: string, max: number): string {
  return cutEnd(readString(fields, name), max);
}

/** A list of strings that is only shown: at most `max.items` of them, each of at most `max.chars` characters. */
export function readShownList(
  fields: Fields,
  name: string,
  max: { readonly items: number; readonly chars: number },
): readonly string[] {
  return readStrings(fields, name)
    .slice(0, max.items)
    .map((text) => cutEnd(text, max.chars));
}

function cutEnd(text: string, max: number): string {
  return text.length <= max ? text : detached(`${text.slice(0, characterBoundary(text, max))}…`);
}

/** A string, or undefined when the field is absent. */
export function readOptionalString(fields: Fields, name: string, max?: number): string | undefined {
  return field(fields, name) === undefined ? undefined : readString(fields, name, max);
}

/** One of a closed set of strings. */
export function readChoice<T extends string>(fields: Fields, name: string, choices: readonly T[]): T {
  const value = field(fields, name);
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new ChannelViolation(`${name} has to be one of ${choices.join(', ')}`);
  return found;
}

/** A whole number in a range. */
export function readInteger(fields: Fields, name: string, min: number, max: number): number {
  return checkInteger(field(fields, name), name, min, max);
}

/** A whole number in a range, or undefined when the field is absent. */
export function readOptionalInteger(fields: Fields, name: string, min: number, max: number): number | undefined {
  const value = field(fields, name);
  return value === undefined ? undefined : checkInteger(value, name, min, max);
}

/** A value as a whole number in a range. */
export function checkInteger(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new ChannelViolation(`${name} is not a whole number from ${min} to ${max}`);
  }
  return value;
}

/** A flag; absent is false. */
export function readFlag(fields: Fields, name: string): boolean {
  const value = field(fields, name);
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw new ChannelViolation(`${name} is not a boolean`);
  return value;
}

/** A list of at most `max` items. */
export function readList(fields: Fields, name: string, max: number): readonly unknown[] {
  const value = field(fields, name);
  if (!Array.isArray(value) || value.length > max) {
    throw new ChannelViolation(`${name} is not a list of at most ${max} items`);
  }
  return value;
}

/** A list of strings; absent is empty. */
function readStrings(fields: Fields, name: string): readonly string[] {
  if (field(fields, name) === undefined) return [];
  return readList(fields, name, MAX_VARIABLES).map((item) => {
    if (typeof item !== 'string') throw new ChannelViolation(`${name} contains a value that is not a string`);
    return item.toWellFormed();
  });
}

/** The value of JSON text in a part; {@link parseWithDigits} as `parse` keeps long integers. */
export function parsePart(bytes: Buffer, what: string, parse: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parse(bytes.toString('utf8'));
  } catch {
    throw new ChannelViolation(`${what} is not JSON`);
  }
}
