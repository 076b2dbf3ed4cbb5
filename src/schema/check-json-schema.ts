import { isObject } from '../argument-checks.ts';
import { messageOf, RlmError } from '../errors.ts';

const TYPES: ReadonlySet<unknown> = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']);

/** Keywords whose value is a schema, a list of schemas, or an object of schemas. */
const ONE = [
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
];
const MANY = ['allOf', 'anyOf', 'oneOf', 'prefixItems'];
const NAMED = ['$defs', 'definitions', 'dependentSchemas', 'patternProperties', 'properties'];
const UNEVALUATED = ['unevaluatedItems', 'unevaluatedProperties'];
const NUMBERS = ['exclusiveMaximum', 'exclusiveMinimum', 'maximum', 'minimum', 'multipleOf'];
const COUNTS = [
  'maxContains',
  'maxItems',
  'maxLength',
  'maxProperties',
  'minContains',
  'minItems',
  'minLength',
  'minProperties',
];

interface Spot {
  readonly schema: unknown;
  /** JSON Pointer. */
  readonly at: string;
}

/**
 * Finds what makes a JSON Schema (draft 2020-12) unusable, before anything is paid for an answer that could never fit.
 *
 * @throws RlmError `invalid-option` that names the place and the problem; `what` names the schema
 */
export function checkJsonSchema(schema: unknown, what = 'JSON Schema'): void {
  const refs: { readonly ref: unknown; readonly at: string }[] = [];
  const names = new Set<string>();
  const waiting: Spot[] = [{ schema, at: '' }];
  // An explicit stack, and no recursion: cells write schemas, as deep as they like.
  for (let spot = waiting.pop(); spot !== undefined; spot = waiting.pop()) {
    const { schema: node, at } = spot;
    if (typeof node === 'boolean' && at !== '') continue;
    if (!isObject(node)) throw unusable(what, at, 'a schema must be an object, or true or false inside of another');
    const problem = problemOf(node);
    if (problem !== undefined) throw unusable(what, `${at}/${problem.keyword}`, problem.why);
    if (node.$ref !== undefined) refs.push({ ref: node.$ref, at: `${at}/$ref` });
    for (const name of [node.$id, node.$anchor, node.$dynamicAnchor]) if (typeof name === 'string') names.add(name);
    for (const below of schemasIn(node)) waiting.push({ schema: below.schema, at: `${at}/${below.at}` });
  }
  for (const { ref, at } of refs) {
    if (!resolves(ref, schema, names)) throw unusable(what, at, `${shown(ref)} refers to nothing in the schema`);
  }
}

function* schemasIn(node: Readonly<Record<string, unknown>>): Generator<Spot> {
  for (const keyword of [...ONE, ...UNEVALUATED]) {
    const value = node[keyword];
    // Drafts before 2020-12 allow lists of items.
    if (keyword === 'items' && Array.isArray(value)) yield* list(keyword, value);
    else if (value !== undefined) yield { schema: value, at: keyword };
  }
  for (const keyword of MANY) {
    const value = node[keyword];
    if (Array.isArray(value)) yield* list(keyword, value);
  }
  for (const keyword of NAMED) {
    const value = node[keyword];
    if (!isObject(value)) continue;
    for (const [name, schema] of Object.entries(value)) yield { schema, at: `${keyword}/${pointerPart(name)}` };
  }
}

function* list(keyword: string, schemas: readonly unknown[]): Generator<Spot> {
  for (const [index, schema] of schemas.entries()) yield { schema, at: `${keyword}/${index}` };
}

interface Problem {
  readonly keyword: string;
  readonly why: string;
}

function problemOf(node: Readonly<Record<string, unknown>>): Problem | undefined {
  for (const [keyword, value] of Object.entries(node)) {
    const why = problemWith(keyword, value);
    if (why !== undefined) return { keyword, why };
  }
  return undefined;
}

function problemWith(keyword: string, value: unknown): string | undefined {
  if (keyword === 'type') return typeProblem(value);
  if (MANY.includes(keyword)) return Array.isArray(value) ? undefined : 'it must be a list of schemas';
  if (keyword === 'patternProperties' && isObject(value)) return firstOf(Object.keys(value).map(patternProblem));
  if (NAMED.includes(keyword)) return isObject(value) ? undefined : 'it must be an object of schemas by name';
  if (NUMBERS.includes(keyword))
    return typeof value === 'number' ? undefined : `it must be a number; this is ${shown(value)}`;
  if (COUNTS.includes(keyword))
    return isCount(value) ? undefined : `it must be a whole number from 0; this is ${shown(value)}`;
  if (keyword === 'required') return isTexts(value) ? undefined : 'it must be a list of property names';
  if (keyword === 'enum') return Array.isArray(value) ? undefined : 'it must be a list of values';
  if (keyword === 'pattern') return patternProblem(value);
  return undefined;
}

function typeProblem(value: unknown): string | undefined {
  const types = Array.isArray(value) ? value : [value];
  const wrong = types.find((type) => !TYPES.has(type));
  if (types.length > 0 && wrong === undefined) return undefined;
  return `${shown(wrong ?? value)} is not a type: use ${[...TYPES].join(', ')}, or a list of them`;
}

function patternProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return `it must be a regular expression; this is ${shown(value)}`;
  try {
    new RegExp(value, 'u');
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function firstOf(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function resolves(ref: unknown, root: unknown, names: ReadonlySet<string>): boolean {
  if (typeof ref !== 'string') return false;
  if (ref === '#') return true;
  if (names.has(ref) || names.has(ref.replace(/^#/, ''))) return true;
  // Below an `$id` a pointer starts at another root; the validator resolves it.
  if ([...names].some((name) => /[:/]/.test(name))) return true;
  if (!ref.startsWith('#/')) return false;
  let node = root;
  for (const part of ref.slice(2).split('/')) {
    const key = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) return false;
    node = (node as Readonly<Record<string, unknown>>)[key];
  }
  return isObject(node) || typeof node === 'boolean';
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray per cent sign is taken literally
  }
}

function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** A value in a message. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function unusable(what: string, at: string, why: string): RlmError {
  const where = at === '' ? '' : ` at ${at.length > 200 ? `${at.slice(0, 200)}…` : at}`;
  return new RlmError({
    code: 'invalid-option',
    message: `The ${what} cannot be used${where}: ${why}.`,
    userAction: true,
    data: { at: at.slice(0, 200) },
  });
}
