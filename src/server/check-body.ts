import { type OutputUnit, type Schema, Validator } from '@cfworker/json-schema';
import { RlmError } from '../errors.ts';
import type { JsonBody } from './body.ts';
import { problemWords } from './body-words.ts';
import { REQUEST_SCHEMAS, type RequestSchema } from './openapi/request-schemas.ts';

const validators = new Map<RequestSchema, Validator>();

function validatorFor(name: RequestSchema): Validator {
  const validator = validators.get(name) ?? new Validator(REQUEST_SCHEMAS[name], '2020-12');
  validators.set(name, validator);
  return validator;
}

/** @throws RlmError `invalid-option` that names the field */
export function checkBody(name: RequestSchema, body: JsonBody): void {
  const { valid, errors } = validatorFor(name).validate(body);
  if (valid) return;
  const problems = innermost(errors);
  const path = problems[0]?.instanceLocation.split('/').slice(1) ?? [];
  const { words, missing } = problemWords(problems, REQUEST_SCHEMAS[name] as Schema);
  const [param = missing] = path;
  const where = path.length === 0 ? 'The request' : `The field ${path.join('.')}`;
  throw new RlmError({
    code: 'invalid-option',
    message: `${where} is not valid: ${words}.`,
    userAction: true,
    data: param === undefined ? {} : { param },
  });
}

/** The validator reports each enclosing schema as well; the innermost ones say how to change the request. */
function innermost(errors: readonly OutputUnit[]): readonly OutputUnit[] {
  const depth = Math.max(...errors.map(depthOf));
  return errors.filter((error) => depthOf(error) === depth && error.keyword !== 'anyOf');
}

function depthOf({ instanceLocation }: OutputUnit): number {
  return instanceLocation.split('/').length;
}

/** A field of a checked body that may be null or absent. */
export function optional<T>(value: unknown): T | undefined {
  return value === null || value === undefined ? undefined : (value as T);
}
