import { extname } from 'node:path';
import { RlmError } from '../../errors.ts';
import { jsonSchemaOf } from '../../schema/json-schema.ts';
import type { OutputOptions } from '../options/ask-options.ts';
import { whyNoTable } from './fits-table.ts';

/** How the file of `-o` holds a typed answer. */
export type AnswerFormat = 'json' | 'jsonl' | 'csv';

const BY_ENDING: Readonly<Record<string, AnswerFormat>> = { '.csv': 'csv', '.jsonl': 'jsonl', '.ndjson': 'jsonl' };

/** By the ending of the file's name; JSON for every ending but those of tables. */
export function formatOf(path: string): AnswerFormat {
  return BY_ENDING[extname(path).toLowerCase()] ?? 'json';
}

/**
 * Checks that answers of a schema can fit the file of `-o`, before anything is paid. Without a schema the answer is text,
 * which every file takes as it is.
 *
 * @throws RlmError `invalid-option`
 */
export function checkAnswerFormat({ output, json }: OutputOptions & { readonly json?: true }, schema: unknown): void {
  if (output === undefined) return;
  const format = formatOf(output);
  if (json === true && format === 'csv') throw cannotFit(output, '--json writes one object, not a table', '.json');
  if (json === true || schema === undefined || format === 'json') return;
  const shape = jsonSchemaOf(schema);
  const why = shape === undefined ? undefined : whyNoTable(shape, format);
  if (why !== undefined) throw cannotFit(output, `${NEEDS[format]}, and by the schema ${why}`, '.json');
}

const NEEDS: Readonly<Record<'jsonl' | 'csv', string>> = {
  jsonl: 'a file of JSON lines holds a list',
  csv: 'a CSV file holds a list of objects of plain values',
};

function cannotFit(path: string, why: string, ending: string): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message: `The answer cannot be written to ${path}: ${why}. Name a file that ends in ${ending}.`,
    userAction: true,
    data: { path },
  });
}
