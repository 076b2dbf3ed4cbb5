/**
 * Checks of what callers give where no type checker has looked: each finding is an error before anything is spent.
 *
 * @module
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { RlmError } from './errors.ts';

/** An option or argument that cannot be right; `message` says what it is and what to give. */
export function invalidOption(message: string): RlmError {
  return new RlmError({ code: 'invalid-option', message: `${message}.`, userAction: true });
}

/** Describes a wrong argument, for a message. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** True for an object that is not a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @throws RlmError `invalid-option` for a given signal that is not an `AbortSignal`
 */
export function checkSignal(signal: unknown): void {
  if (signal === undefined) return;
  if (isObject(signal) && typeof signal.aborted === 'boolean' && typeof signal.addEventListener === 'function') return;
  throw invalidOption(
    `The signal has to be an AbortSignal, such as that of an AbortController; this is ${kindOf(signal)}`,
  );
}

/** @throws RlmError `invalid-option` for an owner of the wrong form */
export function checkOwner(owner: unknown): void {
  if (owner === undefined) return;
  if (isObject(owner) && typeof owner.door === 'string' && typeof owner.name === 'string') {
    if (typeof owner.detached === 'boolean') return;
  }
  throw invalidOption(
    `The option owner has to be { door, name, detached }: two texts, and true or false; this is ${kindOf(owner)}`,
  );
}

/** Some libraries make their schemas functions. */
export function isStandardSchema(schema: unknown): schema is StandardSchemaV1 {
  if (typeof schema !== 'function' && !isObject(schema)) return false;
  const standard = (schema as { readonly '~standard'?: unknown })['~standard'];
  return isObject(standard) && typeof standard.validate === 'function';
}

/**
 * @throws RlmError `invalid-option` for a given answer type that is not a Standard Schema
 */
export function checkSchema(output: unknown): void {
  if (output === undefined || isStandardSchema(output)) return;
  throw invalidOption(
    `The output has to be a Standard Schema, such as one of zod, or jsonSchema({ … }) for a JSON Schema; this is ${kindOf(output)}`,
  );
}
