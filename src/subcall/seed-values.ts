import { contextText } from '../context/context-text.ts';
import { documentsContext } from '../context/documents.ts';
import type { ContextSource, LoadedContext } from '../context/index.ts';
import { contextSource } from '../context/input.ts';
import { describeJson, loadValue } from '../context/load.ts';
import { oneDocument } from '../context/one-document.ts';
import { invalidSeed, loadSeeds } from '../context/seeds.ts';
import type { JsonValue, SeedFromCell } from '../repl/port.ts';

/** Values that are bound in the cell's REPL, by their names there: references name them. */
export type BoundValues = ReadonlyMap<string, LoadedContext>;

/** The seed values of a child, as a request takes them. References are followed when the child starts. */
export function childSeeds(seed: Seeds, bound: BoundValues): Readonly<Record<string, ContextSource>> {
  return Object.fromEntries(
    Object.entries(seed).map(([name, value]) => [name, contextSource(async () => await contextOf(name, value, bound))]),
  );
}

async function contextOf(name: string, value: SeedFromCell, bound: BoundValues): Promise<LoadedContext> {
  if (value.kind === 'text') return await loadValue(value.text);
  if (value.kind === 'json') return describeJson(value.json, JSON.parse(value.json) as JsonValue);
  return await referenced(name, value, bound);
}

type Reference = Extract<SeedFromCell, { kind: 'reference' }>;

/** The value that a reference names. @throws RlmError `invalid-seed` where that is not bound */
async function referenced(seed: string, reference: Reference, bound: BoundValues): Promise<LoadedContext> {
  const { name, documents: wanted } = reference;
  const found = bound.get(name);
  if (found === undefined)
    throw invalidSeed(`The seed value ${seed} refers to ${name}, which is not bound`, { name: seed });
  if (wanted === undefined) return found;
  const all = found.value.kind === 'documents' ? found.value.documents : [];
  const documents = wanted.map(({ index, path }) => {
    const document = all[index]?.path === path ? all[index] : all.find((one) => one.path === path);
    if (document === undefined)
      throw invalidSeed(`The seed value ${seed} refers to ${path} in ${name}, which is not there`);
    return document;
  });
  const [first] = documents;
  return reference.single === true && first !== undefined ? await oneDocument(first) : documentsContext(documents);
}

/** A child's request at the deepest level: one flat call, whose query has the seed values as text. */
export async function withSeedText<R extends { readonly query: string; readonly seed?: Seeds }>(
  request: R,
  bound: BoundValues,
  maxBytes: number,
): Promise<R> {
  if (request.seed === undefined) return request;
  const contexts = await loadSeeds(childSeeds(request.seed, bound));
  const whole = await contextText({ kind: 'named', contexts }, maxBytes);
  if ('because' in whole)
    throw invalidSeed(
      `The seed values cannot go into the flat call that this is at the deepest level: ${whole.because}`,
    );
  const { text } = whole;
  return { ...request, query: `${request.query}\n\nSeed values (data, ${text.length} characters):\n${text}` };
}

type Seeds = Readonly<Record<string, SeedFromCell>>;

/** Identifies seed values in the key of a child's step. */
export function seedKey(seed: Seeds): JsonValue {
  return Object.fromEntries(Object.entries(seed).map(([name, value]) => [name, keyOf(value)]));
}

function keyOf(value: SeedFromCell): JsonValue {
  if (value.kind === 'text') return value.text;
  if (value.kind === 'json') return { json: value.json };
  const { name, documents } = value;
  return { name, ...(documents !== undefined && { documents: documents.map(({ path }) => path) }) };
}

/** Characters that seed values by value have. */
export function seedChars(seed: Seeds | undefined): number {
  return Object.values(seed ?? {}).reduce((sum, value) => {
    if (value.kind === 'text') return sum + value.text.length;
    return value.kind === 'json' ? sum + value.json.length : sum;
  }, 0);
}
