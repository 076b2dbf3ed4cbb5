/**
 * Results of commands, read from untrusted frames. Every text is cut here, once, to what may be shown or recorded.
 *
 * @module
 */
import { RlmError } from '../../errors.ts';
import { boundError, cutMiddle } from '../error-text.ts';
import type { AnswerFound, CellError, CellOutcome, JsonValue, ReplLimits, VariableInfo } from '../port.ts';
import { parseAnswer } from './answers.ts';
import type { GuestResult } from './guest-command.ts';
import {
  MAX_FAILURE_CHARS,
  MAX_NAME_CHARS,
  MAX_PREVIEW_CHARS,
  MAX_SHOWN_NAMES,
  MAX_TEXT_BYTES,
  MAX_VALUE_CHARS,
  MAX_VARIABLES,
  MAX_VARIABLES_BYTES,
} from './limits.ts';
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
  readShown,
  readShownList,
} from './shape.ts';

/** Names that are only shown. */
const SHOWN_NAMES = { items: MAX_SHOWN_NAMES, chars: MAX_NAME_CHARS };

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
  throw new RlmError({
    code,
    message: readShown(fields, 'message', MAX_FAILURE_CHARS),
    userAction: code !== 'repl-failure',
  });
}

/** The outcome of a cell that ran to its end. */
export function parseOutcome(result: GuestResult, limits: ReplLimits): CellOutcome {
  const fields = checkResult(result);
  const { parts } = result;
  const ok = readFlag(fields, 'ok');
  const value = readFlag(fields, 'value') ? cutMiddle(parts.text(MAX_TEXT_BYTES), MAX_VALUE_CHARS) : null;
  const errorField = field(fields, 'error');
  const error = errorField === undefined ? null : parseError(readObject(errorField, 'an error'), parts, limits);
  const answerField = field(fields, 'answer');
  const answer =
    answerField === undefined ? undefined : parseAnswer(readObject(answerField, 'an answer'), parts, limits);
  const continueWith = readFlag(fields, 'continue')
    ? cutMiddle(parts.text(limits.promptBytes), limits.outputChars)
    : undefined;
  const rebound = readShownList(fields, 'rebound', SHOWN_NAMES);
  parts.end();
  return {
    ok: ok && error === null,
    stdout: result.stdout,
    stderr: result.stderr,
    value,
    error,
    durationMs: result.durationMs,
    timedOut: result.stopped === 'deadline',
    variables: parseVariables(field(fields, 'variables')),
    ...(answer === undefined || error !== null ? {} : { answer }),
    ...(continueWith === undefined ? {} : { continueWith }),
    ...(rebound.length === 0 ? {} : { rebound }),
  };
}

/** An error of code in the guest: its class by name, message and traceback as parts. */
function parseError(fields: Fields, parts: PartReader, { outputChars }: ReplLimits): CellError {
  const type = readShown(fields, 'type', MAX_NAME_CHARS);
  const message = parts.text(MAX_TEXT_BYTES);
  return boundError({ type, message, traceback: parts.text(MAX_TEXT_BYTES) }, outputChars);
}

/** The variables after a cell, as they are in the header of its result. */
function parseVariables(list: unknown): readonly VariableInfo[] {
  return readList({ variables: list }, 'variables', MAX_VARIABLES).map((item) => {
    const row = readObject(item, 'a variable');
    const size = readOptionalInteger(row, 'size', 0, Number.MAX_SAFE_INTEGER);
    const preview = field(row, 'preview') === undefined ? undefined : readShown(row, 'preview', MAX_PREVIEW_CHARS);
    return {
      name: readShown(row, 'name', MAX_NAME_CHARS),
      type: readShown(row, 'type', MAX_NAME_CHARS),
      ...(size === undefined ? {} : { size }),
      ...(preview === undefined ? {} : { preview }),
      ...(readFlag(row, 'changed') ? { changed: true } : {}),
    };
  });
}

/** All variables: more than a header holds, so they are the result's only part. */
export function parseAllVariables(result: GuestResult): readonly VariableInfo[] {
  checkResult(result);
  return parseVariables(parsePart(result.parts.bytes(MAX_VARIABLES_BYTES), 'the variables'));
}

/** What a look-up of an answer found. */
export function parseAnswerFound(result: GuestResult, limits: ReplLimits): AnswerFound {
  const fields = checkResult(result);
  const kind = readChoice(fields, 'kind', ['answer', 'not-data', 'unbound', 'error']);
  switch (kind) {
    case 'answer':
      return { kind, answer: parseAnswer(readObject(field(fields, 'answer'), 'an answer'), result.parts, limits) };
    case 'not-data':
      return { kind, type: readShown(fields, 'type', MAX_NAME_CHARS) };
    case 'unbound':
      return { kind, names: readShownList(fields, 'names', SHOWN_NAMES) };
    case 'error':
      return { kind, error: parseError(readObject(field(fields, 'error'), 'an error'), result.parts, limits) };
  }
}

/** The JSON value in a result's only part. */
export function parseValue(result: GuestResult): JsonValue {
  checkResult(result);
  return parsePart(result.parts.bytes(Number.MAX_SAFE_INTEGER), 'a value');
}
