import type { SeedFromCell } from '../port.ts';
import { ChannelViolation, MAX_LOOKUP_CHARS } from './limits.ts';
import { checkInteger, type Fields, field, parsePart, readFlag, readList, readObject, readString } from './shape.ts';

/** Documents that one reference may name: as many as one archive may hold. */
const MAX_REFERENCED = 200_000;

/** The seed values of a child, as one part of JSON. @throws ChannelViolation */
export function parseSeeds(bytes: Buffer): Readonly<Record<string, SeedFromCell>> {
  const values = readObject(parsePart(bytes, 'seed values'), 'seed values');
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, seedOf(readObject(value, 'a seed value'))]),
  );
}

function seedOf(value: Fields): SeedFromCell {
  if (field(value, 'text') !== undefined)
    return { kind: 'text', text: readString(value, 'text', Number.POSITIVE_INFINITY) };
  if (field(value, 'json') !== undefined)
    return { kind: 'json', json: readString(value, 'json', Number.POSITIVE_INFINITY) };
  const reference = readObject(field(value, 'ref'), 'a reference');
  const name = readString(reference, 'name', MAX_LOOKUP_CHARS);
  if (field(reference, 'items') === undefined) return { kind: 'reference', name };
  const items = readList(reference, 'items', MAX_REFERENCED).map(itemOf);
  if (items.length === 0) throw new ChannelViolation('a reference names no document');
  return { kind: 'reference', name, documents: items, single: readFlag(reference, 'one') };
}

function itemOf(item: unknown): { readonly index: number; readonly path: string } {
  if (!Array.isArray(item) || typeof item[1] !== 'string')
    throw new ChannelViolation('a document in a reference is not a place and a path');
  return { index: checkInteger(item[0], 'the place of a document', 0, Number.MAX_SAFE_INTEGER), path: item[1] };
}
