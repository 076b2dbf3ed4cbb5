import { isObject, kindOf } from '../argument-checks.ts';
import { RlmError } from '../errors.ts';
import { isVariableName } from '../repl/names.ts';
import type { JsonValue } from '../repl/port.ts';
import type { ContextSource, LoadedContext } from './input.ts';
import { loadValue } from './load.ts';
import { MAX_SEEDS } from './source-limits.ts';

/**
 * Values that a completion starts with besides its context, by name: `seed["rows"]` in the REPL. By value: a text, a JSON value. By
 * reference: a source, such as `fromFile(path)` or `projected(…)`, of which records hold the path and not the content.
 */
export type SeedValues = Readonly<Record<string, string | JsonValue | ContextSource>>;

/** Seed values, looked at. */
export type LoadedSeeds = ReadonlyMap<string, LoadedContext>;

/** @throws RlmError `invalid-seed`; the errors of sources */
export async function loadSeeds(seed: SeedValues | undefined): Promise<LoadedSeeds> {
  const loaded = new Map<string, LoadedContext>();
  if (seed === undefined) return loaded;
  if (!isObject(seed) || Array.isArray(seed))
    throw invalidSeed(`The option seed has to be an object of values by name, not ${kindOf(seed)}`);
  const entries = Object.entries(seed);
  if (entries.length > MAX_SEEDS)
    throw invalidSeed(`The option seed has ${entries.length} values, and at most ${MAX_SEEDS} are taken`);
  for (const [name, value] of entries) loaded.set(checkedName(name), await contextOf(name, value));
  return loaded;
}

function checkedName(name: string): string {
  if (isVariableName(name)) return name;
  throw invalidSeed(
    `The seed value "${name}" cannot have that name: use ASCII letters, digits and _, not starting with a digit, and no Python keyword`,
    { name },
  );
}

async function contextOf(name: string, value: unknown): Promise<LoadedContext> {
  if (value === undefined)
    throw invalidSeed(`The seed value ${name} is undefined: leave it out, or give null`, { name });
  try {
    return await loadValue(value as JsonValue);
  } catch (error) {
    if (!RlmError.isInstance(error) || error.data.path !== undefined || error.code !== 'context-invalid') throw error;
    throw invalidSeed(`The seed value ${name} cannot be passed: ${error.message.replace(/\.$/, '')}`, { name }, error);
  }
}

/** The error for a seed value or an attachment; `what` is a sentence without its full stop. */
export function invalidSeed(what: string, data: Readonly<Record<string, unknown>> = {}, cause?: unknown): RlmError {
  return new RlmError({ code: 'invalid-seed', message: `${what}.`, userAction: true, data, cause });
}
