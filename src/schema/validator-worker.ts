/**
 * The worker thread that validates values against JSON Schemas. Schemas and values are untrusted: a pattern may backtrack
 * for ever, so the host ends this thread at its time limit.
 *
 * @module
 */
import { parentPort } from 'node:worker_threads';
import { type Schema, Validator } from '@cfworker/json-schema';

/** A value to validate; the schema is JSON text. */
export interface ValidationRequest {
  readonly id: number;
  readonly schema: string;
  readonly value: unknown;
}

export interface ValidationIssue {
  /** JSON Pointer, after `#`. */
  readonly instanceLocation: string;
  readonly error: string;
}

export type ValidationReply =
  /** The check begins: its time limit counts from here. The thread may have taken seconds to get a processor. */
  | { readonly id: number; readonly begun: true }
  | { readonly id: number; readonly issues: readonly ValidationIssue[] }
  | { readonly id: number; readonly failure: string };

/** Most compiled schemas that are kept; the least recently used one goes first. */
const MOST_SCHEMAS = 32;
/** Most issues sent back: a list of a million wrong numbers has one for each. */
const MOST_ISSUES = 10_000;

const validators = new Map<string, Validator>();

function validatorFor(schema: string): Validator {
  const validator = validators.get(schema) ?? new Validator(JSON.parse(schema) as Schema, '2020-12', false);
  validators.delete(schema);
  validators.set(schema, validator);
  for (const [oldest] of validators) {
    if (validators.size <= MOST_SCHEMAS) break;
    validators.delete(oldest);
  }
  return validator;
}

/** The library reports each enclosing schema as well; only the innermost issues say what to change. */
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

function issuesOf(schema: string, value: unknown): readonly ValidationIssue[] {
  const { valid, errors } = validatorFor(schema).validate(value);
  if (valid) return [];
  const inner = errors.filter(({ keyword }) => !ENCLOSING.has(keyword));
  const reported = inner.length > 0 ? inner : errors;
  return reported.slice(0, MOST_ISSUES).map(({ instanceLocation, error }) => ({ instanceLocation, error }));
}

function replyTo({ id, schema, value }: ValidationRequest): ValidationReply {
  try {
    return { id, issues: issuesOf(schema, value) };
  } catch (error) {
    return { id, failure: error instanceof Error ? error.message : String(error) };
  }
}

function send(reply: ValidationReply): void {
  parentPort?.postMessage(reply);
}

parentPort?.on('message', (request: ValidationRequest) => {
  send({ id: request.id, begun: true });
  send(replyTo(request));
});
