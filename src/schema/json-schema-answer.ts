import { type Schema, Validator } from '@cfworker/json-schema';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { TookTooLong, withinTime } from './within-time.ts';

/**
 * Milliseconds a check may take. Cells write schemas and answers, and this process stands still meanwhile: a pattern may
 * backtrack for ever, and `uniqueItems` takes the square of the items. An honest answer of 5 MB takes one second.
 */
const CHECK_MS = 3_000;

/**
 * A Standard Schema over a JSON Schema (draft 2020-12): for `rlm_query(output=…)` and the command line's `--schema`.
 *
 * @example
 * ```ts
 * const run = rlm.completion({ query: 'How many?', context: text, output: jsonSchema<{ n: number }>({ type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }) });
 * ```
 */
export function jsonSchema<T = unknown>(schema: Readonly<Record<string, unknown>>): StandardSchemaV1<unknown, T> {
  const validator = new Validator(schema as Schema, '2020-12', false);
  let allowedMs = CHECK_MS;
  const check = (value: unknown): ReturnType<Validator['validate']> => {
    try {
      return withinTime(allowedMs, () => validator.validate(value));
    } catch (error) {
      if (!(error instanceof TookTooLong)) throw error;
      const message = `checking the answer took ${error.message}: a shorter answer or a simpler schema may do`;
      allowedMs = Math.max(1, Math.floor(allowedMs / 2)); // a cell may try again and again
      throw new Error(message);
    }
  };
  const standard = {
    version: 1 as const,
    vendor: 'fathom-rlm',
    validate: (value: unknown): StandardSchemaV1.Result<T> => {
      const { valid, errors } = check(value);
      if (valid) return { value: value as T };
      // The library reports each enclosing schema as well; the innermost errors are the ones to act on.
      const inner = errors.filter(({ keyword }) => !ENCLOSING.has(keyword));
      return { issues: (inner.length > 0 ? inner : errors).map(issueOf) };
    },
    jsonSchema: { input: () => schema, output: () => schema },
  };
  return { '~standard': standard };
}

const ENCLOSING: ReadonlySet<string> = new Set([
  'properties',
  'items',
  'allOf',
  'anyOf',
  'oneOf',
  '$ref',
  'additionalProperties',
  'prefixItems',
]);

function issueOf({
  instanceLocation,
  error,
}: {
  readonly instanceLocation: string;
  readonly error: string;
}): StandardSchemaV1.Issue {
  const path = instanceLocation.split('/').slice(1).map(decodePointer);
  return { message: error, ...(path.length > 0 && { path }) };
}

/** One segment of a JSON Pointer (RFC 6901). */
function decodePointer(segment: string): string {
  return decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~');
}
