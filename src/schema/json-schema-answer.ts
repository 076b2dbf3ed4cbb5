import type { StandardSchemaV1 } from '@standard-schema/spec';
import { invalidOption } from '../argument-checks.ts';
import { jsonText } from '../json-text.ts';
import { checkJsonSchema } from './check-json-schema.ts';
import { validateInWorker } from './validation-workers.ts';
import type { ValidationIssue } from './validator-worker.ts';

/**
 * A Standard Schema over a JSON Schema (draft 2020-12): for `rlm_query(output=…)` and the command line's `--schema`. It
 * validates in a worker thread, for at most three seconds, so a slow schema does not block the event loop. A schema of
 * another library (zod, …) runs in the calling thread.
 *
 * @example
 * ```ts
 * const run = rlm.completion({ query: 'How many?', context: text, output: jsonSchema<{ n: number }>({ type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }) });
 * ```
 * @throws RlmError `invalid-option` for a schema that no value could be validated against
 */
export function jsonSchema<T = unknown>(schema: Readonly<Record<string, unknown>>): StandardSchemaV1<unknown, T> {
  return validatingSchema<T>(schema, 'JSON Schema');
}

/** {@link jsonSchema}, with a name for its errors. */
export function validatingSchema<T = unknown>(
  schema: Readonly<Record<string, unknown>>,
  what: string,
): StandardSchemaV1<unknown, T> {
  const text = jsonText(schema, (why) => invalidOption(`The ${what} cannot be used: ${why}`));
  checkJsonSchema(JSON.parse(text), what);
  const standard = {
    version: 1 as const,
    vendor: 'fathom-rlm',
    validate: async (value: unknown): Promise<StandardSchemaV1.Result<T>> => {
      const issues = await validateInWorker(text, value);
      return issues.length === 0 ? { value: value as T } : { issues: issues.map(issueOf) };
    },
    jsonSchema: { input: () => schema, output: () => schema },
  };
  return { '~standard': standard };
}

/** A schema of values that are only written as JSON again. */
interface DigitKeepingSchema extends StandardSchemaV1 {
  readonly keepsDigits: true;
}

/**
 * {@link validatingSchema} for values that go nowhere but into JSON again: to a terminal, or back into Python. Integers that
 * a number cannot hold fit it, and `JSON.stringify` writes them with all their digits.
 */
export function digitKeepingSchema(schema: Readonly<Record<string, unknown>>, what: string): StandardSchemaV1 {
  const keeping: DigitKeepingSchema = { ...validatingSchema(schema, what), keepsDigits: true };
  return keeping;
}

/** Whether a schema is one of {@link digitKeepingSchema}. */
export function keepsDigits(schema: StandardSchemaV1): schema is DigitKeepingSchema {
  return 'keepsDigits' in schema && schema.keepsDigits === true;
}

function issueOf({ instanceLocation, error }: ValidationIssue): StandardSchemaV1.Issue {
  const path = instanceLocation.split('/').slice(1).map(decodePointer);
  return { message: error, ...(path.length > 0 && { path }) };
}

/** One segment of a JSON Pointer (RFC 6901). */
function decodePointer(segment: string): string {
  return decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~');
}
