import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { CompletionResult } from '../../engine/result.ts';
import { messageOf, RlmError } from '../../errors.ts';
import { jsonSchemaOf } from '../../schema/json-schema.ts';
import type { Console } from '../screen/console.ts';
import { printError } from '../screen/error-report.ts';
import { wrapped } from '../screen/layout.ts';
import { forTerminal, jsonFor } from '../screen/terminal-text.ts';
import { resultJson } from '../watch/result-json.ts';
import type { AnswerFile } from './answer-file.ts';
import { formatOf } from './answer-format.ts';
import { writtenAs } from './answer-table.ts';
import { piecesOf, writePieces } from './pieces.ts';

export interface Printing {
  readonly json: boolean;
  /** A typed answer is printed as JSON. */
  readonly schema: StandardSchemaV1 | undefined;
  readonly console: Console;
  /** Takes the answer instead of standard output. */
  readonly file: AnswerFile | undefined;
}

/** Prints the answer; false when it could not be written to the file that was asked for. */
export async function printAnswer(result: CompletionResult<unknown>, printing: Printing): Promise<boolean> {
  const { json, schema, console, file } = printing;
  // Programs read a typed answer: text that does not fit the schema is left to --json and `fathom runs show`.
  const isEmpty = schema === undefined ? result.text === '' : result.answer === undefined;
  if (isEmpty && !json) return true;
  if (file !== undefined) {
    try {
      const { path, problem } = await save(result, printing, file);
      if (problem === undefined) {
        console.stderr.write(`${wrapped(`The answer is in ${path}.`, console.stderr, 2)}\n`);
        return true;
      }
      printError(problem, console.stderr);
      return false;
    } catch (error) {
      // An answer that was paid for is not lost with its file.
      printError(error, console.stderr);
    }
  }
  const { stdout } = console;
  const value = json ? resultJson(result) : result.answer;
  if (json || schema !== undefined)
    await writePieces(stdout, piecesOf(`${jsonFor(stdout, value, json ? undefined : 2)}\n`));
  else await writePieces(stdout, textPieces(result.text, stdout.isTTY === true));
  return file === undefined;
}

/** A file or a pipe gets the answer byte for byte. */
function* textPieces(text: string, terminal: boolean): Generator<string> {
  for (const piece of piecesOf(text)) yield terminal ? forTerminal(piece) : piece;
  if (!text.endsWith('\n')) yield '\n';
}

/** Where the answer is, and what is wrong with that. */
interface Saved {
  readonly path: string;
  readonly problem?: RlmError;
}

async function save(result: CompletionResult<unknown>, printing: Printing, file: AnswerFile): Promise<Saved> {
  const { json, schema } = printing;
  const { path } = file;
  if (json) await file.write([`${JSON.stringify(resultJson(result))}\n`]);
  else if (schema === undefined) await file.write(textPieces(result.text, false));
  else {
    const written = writtenAs(result.answer, formatOf(path), jsonSchemaOf(schema));
    if (!written.fits) return await saveBeside(result.answer, written.why, file);
    await file.write(written.pieces);
  }
  return { path };
}

async function saveBeside(answer: unknown, why: string, file: AnswerFile): Promise<Saved> {
  const beside = `${file.path}.json`;
  const message = `The answer does not fit into ${file.path}: ${why}.`;
  const of = { code: 'answer-invalid', userAction: true, data: { path: beside } } as const;
  await file.write([`${JSON.stringify(answer, null, 2)}\n`], beside).catch((error: unknown) => {
    throw new RlmError({ ...of, message: `${message} ${messageOf(error)}`, cause: error });
  });
  return { path: beside, problem: new RlmError({ ...of, message: `${message} It is saved as JSON in ${beside}.` }) };
}
