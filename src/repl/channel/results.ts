/**
 * Results of commands, read from untrusted frames.
 *
 * @module
 */
import { RlmError } from '../../errors.ts';
import type { AnswerFound, CellError, CellOutcome, JsonValue, ReplLimits, VariableInfo } from '../port.ts';
import { parseAnswer } from './answers.ts';
import type { GuestResult } from './guest-command.ts';
import type { PartReader } from './parts.ts';
import {
  type Fields,
  field,
  parsePart,
  readChoice,
  readFlag,
  readList,
  readObject,
  readOptionalInteger,
  readOptionalString,
  readString,
  readStrings,
} from './shape.ts';

const NAME = 1000;
const MAX_VARIABLES = 10_000;
/** Bytes of value, message and traceback, which the guest bounds far below. */
const TEXT_BYTES = 16 * 1024 * 1024;

/** The codes that a guest's error results may have. */
const ERROR_CODES = [
  'repl-failure',
  'variable-not-found',
  'not-json',
  'invalid-name',
  'reserved-name',
  'answer-too-large',
  'context-invalid',
] as const;

/** Raises the error of an error result. */
export function checkResult(result: GuestResult): Fields {
  const error = field(result.fields, 'error');
  // A cell's error is part of its outcome and has a `type`, not a `code`.
  if (error === undefined || field(readObject(error, 'an error'), 'code') === undefined) return result.fields;
  const fields = readObject(error, 'an error');
  const code = readChoice(fields, 'code', ERROR_CODES);
  throw new RlmError({ code, message: readString(fields, 'message'), userAction: code !== 'repl-failure' });
}

/** The outcome of a cell that ran to its end. */
export function parseOutcome(result: GuestResult, limits: ReplLimits): CellOutcome {
  const fields = checkResult(result);
  const { parts } = result;
  const ok = readFlag(fields, 'ok');
  const value = readFlag(fields, 'value') ? parts.text(TEXT_BYTES) : null;
  const errorField = field(fields, 'error');
  const error = errorField === undefined ? null : parseError(readObject(errorField, 'an error'), parts);
  const answerField = field(fields, 'answer');
  const answer =
    answerField === undefined ? undefined : parseAnswer(readObject(answerField, 'an answer'), parts, limits);
  const continueWith = readFlag(fields, 'continue') ? parts.text(limits.promptBytes) : undefined;
  const rebound = readStrings(fields, 'rebound', MAX_VARIABLES);
  parts.end();
  return {
    ok: ok && error === null,
    stdout: result.stdout,
    stderr: result.stderr,
    value,
    error,
    durationMs: result.durationMs,
    timedOut: result.stopped === 'deadline',
    variables: parseVariables(fields),
    ...(answer === undefined || error !== null ? {} : { answer }),
    ...(continueWith === undefined ? {} : { continueWith }),
    ...(rebound.length === 0 ? {} : { rebound }),
  };
}

/** An error of code in the guest: its class by name, message and traceback as parts. */
export function parseError(fields: Fields, parts: PartReader): CellError {
  const type = readString(fields, 'type', NAME);
  const message = parts.text(TEXT_BYTES);
  return { type, message, traceback: parts.text(TEXT_BYTES) };
}

/** The variables panel. */
export function parseVariables(fields: Fields): readonly VariableInfo[] {
  return readList(fields, 'variables', MAX_VARIABLES).map((item) => {
    const row = readObject(item, 'a variable');
    const size = readOptionalInteger(row, 'size', 0, Number.MAX_SAFE_INTEGER);
    const preview = readOptionalString(row, 'preview', 10_000);
    return {
      name: readString(row, 'name'),
      type: readString(row, 'type'),
      ...(size === undefined ? {} : { size }),
      ...(preview === undefined ? {} : { preview }),
      ...(readFlag(row, 'changed') ? { changed: true } : {}),
    };
  });
}

/** What a look-up of an answer found. */
export function parseAnswerFound(result: GuestResult, limits: ReplLimits): AnswerFound {
  const fields = checkResult(result);
  const kind = readChoice(fields, 'kind', ['answer', 'not-data', 'unbound', 'error']);
  switch (kind) {
    case 'answer':
      return { kind, answer: parseAnswer(readObject(field(fields, 'answer'), 'an answer'), result.parts, limits) };
    case 'not-data':
      return { kind, type: readString(fields, 'type') };
    case 'unbound':
      return { kind, names: readStrings(fields, 'names', MAX_VARIABLES) };
    case 'error':
      return { kind, error: parseError(readObject(field(fields, 'error'), 'an error'), result.parts) };
  }
}

/** The JSON value in a result's only part. */
export function parseValue(result: GuestResult): JsonValue {
  checkResult(result);
  return parsePart(result.parts.bytes(Number.MAX_SAFE_INTEGER), 'a value');
}
