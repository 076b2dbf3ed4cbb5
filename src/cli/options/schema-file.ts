import { readFile } from 'node:fs/promises';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { messageOf, RlmError } from '../../errors.ts';
import { digitKeepingSchema } from '../../schema/json-schema-answer.ts';

/**
 * The answer's schema from a file of JSON Schema.
 *
 * @throws RlmError `invalid-option` naming the file and what is wrong with it
 */
export async function schemaFromFile(path: string): Promise<StandardSchemaV1> {
  let schema: unknown;
  try {
    schema = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const inline = /^\s*\{/.test(path);
    throw unusable(path, inline ? 'it is JSON, and a path is wanted: save it to a file' : messageOf(error), error);
  }
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw unusable(path, 'it must hold a JSON object', undefined);
  }
  return digitKeepingSchema(schema as Readonly<Record<string, unknown>>, `schema ${path}`);
}

function unusable(path: string, why: string, cause: unknown): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message: `The schema ${path} cannot be used: ${why}.`,
    userAction: true,
    cause,
    data: { path },
  });
}
