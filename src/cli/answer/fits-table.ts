import { isObject } from '../../argument-checks.ts';
import type { JsonSchema } from '../../schema/json-schema.ts';

/** Most references and branches that are followed into each other: a schema may refer to itself. */
const MAX_STEPS = 32;

const PLAIN: readonly string[] = ['string', 'number', 'integer', 'boolean', 'null'];

/**
 * Why no value of a schema can be a table, with `the answer` as its subject; undefined where one can, or where the schema does not
 * decide it: then the answer itself is checked.
 */
export function whyNoTable(schema: JsonSchema, format: 'jsonl' | 'csv'): string | undefined {
  if (!allows(schema, ['array'], schema)) return 'the answer is not a list';
  if (format === 'jsonl') return undefined;
  const items = parts(schema, schema).flatMap(({ items }) => (items === undefined ? [] : [items]));
  if (!items.every((item) => allows(item, ['object'], schema))) return 'the items of the answer are not objects';
  for (const [name, value] of items.flatMap((item) => columnsOf(item, schema))) {
    if (!allows(value, PLAIN, schema)) return `the answer has lists or objects in ${JSON.stringify(name)}`;
  }
  return undefined;
}

/** Names of the columns that a schema states, in its order. */
export function columnNames(schema: JsonSchema): readonly string[] {
  const items = parts(schema, schema).flatMap(({ items }) => (items === undefined ? [] : [items]));
  return [...new Set(items.flatMap((item) => columnsOf(item, schema)).map(([name]) => name))];
}

/** The properties of a schema; those that must be absent are left out. */
function columnsOf(schema: unknown, root: JsonSchema): readonly (readonly [string, unknown])[] {
  return parts(schema, root).flatMap(({ properties }) =>
    isObject(properties) ? Object.entries(properties).filter(([, value]) => value !== false) : [],
  );
}

/** The schemas that a value has to satisfy together: the schema itself, what it refers to, and its `allOf`. */
function parts(schema: unknown, root: JsonSchema): readonly JsonSchema[] {
  const found: JsonSchema[] = [];
  const waiting: unknown[] = [schema];
  for (let steps = 0; waiting.length > 0 && steps < MAX_STEPS; steps++) {
    const next = waiting.shift();
    if (!isObject(next)) continue;
    found.push(next);
    if (typeof next.$ref === 'string') waiting.push(referred(next.$ref, root));
    if (Array.isArray(next.allOf)) waiting.push(...(next.allOf as readonly unknown[]));
  }
  return found;
}

/** Whether a value of one of these types may fit a schema. In doubt it may. */
function allows(schema: unknown, types: readonly string[], root: JsonSchema, depth = 0): boolean {
  if (schema === false) return false;
  if (depth > MAX_STEPS) return true;
  return parts(schema, root).every(({ type, const: only, enum: values, anyOf, oneOf }) => {
    if (type !== undefined && ![type].flat().some((one) => types.includes(String(one)))) return false;
    if (only !== undefined && !types.includes(typeName(only))) return false;
    if (Array.isArray(values) && !values.some((value) => types.includes(typeName(value)))) return false;
    return [anyOf, oneOf].every(
      (branches) => !Array.isArray(branches) || branches.some((branch) => allows(branch, types, root, depth + 1)),
    );
  });
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** The schema that a reference within the same document names; undefined for other references. */
function referred(reference: string, root: JsonSchema): unknown {
  if (!reference.startsWith('#')) return undefined;
  let found: unknown = root;
  for (const step of reference.slice(1).split('/').slice(1)) {
    if (!isObject(found)) return undefined;
    found = found[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return found;
}
