import { Validator } from '@cfworker/json-schema';
import { RlmError } from '../errors.ts';
import type { JsonBody } from './body.ts';
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
  // The library reports each enclosing schema as well; the innermost one says what to change.
  const innermost = errors.reduce((found, error) => (depthOf(error) >= depthOf(found) ? error : found));
  const path = innermost.instanceLocation.split('/').slice(1);
  const [param = /"([^"]+)"/.exec(innermost.error)?.[1]] = path;
  const where = path.length === 0 ? 'The request' : `The field ${path.join('.')}`;
  throw new RlmError({
    code: 'invalid-option',
    message: `${where} is not valid: ${innermost.error.replace(/\.$/, '')}.`,
    userAction: true,
    data: param === undefined ? {} : { param },
  });
}

function depthOf({ instanceLocation }: { readonly instanceLocation: string }): number {
  return instanceLocation.split('/').length;
}

/** A field of a checked body that may be null or absent. */
export function optional<T>(value: unknown): T | undefined {
  return value === null || value === undefined ? undefined : (value as T);
}
