import type { JsonValue } from '../repl/port.ts';
import { shownName } from './file-words.ts';

/** Items of a list whose types are looked at. */
const LOOKED_AT = 200;
/** Keys that are named. */
const KEYS = 16;
/** Levels below the value itself that are described. */
const LEVELS = 2;

/** The types of the parts of a list or a dict, e.g. `` items: dict with `id` (int), `tags` (list of str) ``. */
export function jsonShape(value: Extract<JsonValue, object>): string {
  const parts = Array.isArray(value) ? `items: ${typesOf(value, LEVELS)}` : `keys: ${keysOf([value], LEVELS)}`;
  return parts.endsWith(': ') ? '' : parts;
}

/** The types of some values, the usual one first. */
function typesOf(values: readonly JsonValue[], levels: number): string {
  const sample = values.slice(0, LOOKED_AT);
  const byType = [...Map.groupBy(sample, nameOf)].sort(([, a], [, b]) => b.length - a.length);
  return byType.map(([name, group]) => name + partsOf(name, group, levels)).join(' or ');
}

function partsOf(name: string, group: readonly JsonValue[], levels: number): string {
  if (levels === 0) return '';
  if (name === 'list') {
    const items = typesOf(
      group.flatMap((list) => (Array.isArray(list) ? list.slice(0, LOOKED_AT) : [])),
      levels - 1,
    );
    return items === '' ? '' : ` of ${items}`;
  }
  if (name !== 'dict') return '';
  const keys = keysOf(group, levels - 1);
  return keys === '' ? '' : ` with ${keys}`;
}

/** The keys of some dicts, with the types of their values. */
function keysOf(dicts: readonly JsonValue[], levels: number): string {
  const values = new Map<string, JsonValue[]>();
  for (const dict of dicts) {
    for (const [key, value] of firstEntries(dict)) {
      const known = values.get(key);
      if (known !== undefined) known.push(value);
      else if (values.size <= KEYS) values.set(key, [value]);
    }
  }
  const shown = [...values].slice(0, KEYS).map(([key, found]) => `\`${shownName(key)}\` (${typesOf(found, levels)})`);
  return (values.size > KEYS ? [...shown, '…'] : shown).join(', ');
}

/** Entries of a dict, few of a large one. */
function firstEntries(dict: JsonValue): readonly (readonly [string, JsonValue])[] {
  if (!isDict(dict)) return [];
  const entries: [string, JsonValue][] = [];
  for (const key in dict) {
    if (entries.length === LOOKED_AT) break;
    const value = dict[key];
    if (Object.hasOwn(dict, key) && value !== undefined) entries.push([key, value]);
  }
  return entries;
}

function isDict(value: JsonValue): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(value: JsonValue): string {
  if (value === null) return 'None';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return { string: 'str', boolean: 'bool' }[typeof value as string] ?? 'dict';
}
