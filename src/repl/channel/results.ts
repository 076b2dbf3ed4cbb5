import { defined } from '../../defined.ts';
import { RlmError } from '../../errors.ts';
import { asNumbers, lostDigits, lostNumbers, parseWithDigits } from '../../json-digits.ts';
import { boundError, cutMiddle } from '../error-text.ts';
import type {
  Answer,
  AnswerFound,
  BashOutcome,
  CellError,
  CellOutcome,
  JsonValue,
  ReplLimits,
  RestartInfo,
  VariableInfo,
} from '../port.ts';
import type { GuestLost, GuestResult, Stopped } from './guest-command.ts';
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
  readInteger,
  readList,
  readObject,
  readOptionalInteger,
  readShown,
  readShownList,
} from './shape.ts';

/**
 * Results of commands, read from untrusted frames. Every text is cut here, once, to what may be shown or recorded.
 *
 * @module
 */

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
    ...defined({ continueWith }),
    ...(rebound.length === 0 ? {} : { rebound }),
    drafted: field(fields, 'draft') !== false,
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
      ...defined({ size, preview }),
      ...(readFlag(row, 'changed') ? { changed: true } : {}),
    };
  });
}

/** All variables: more than a header holds, so they are the result's only part. */
export function parseAllVariables(result: GuestResult): readonly VariableInfo[] {
  checkResult(result);
  return parseVariables(parsePart(result.parts.bytes(MAX_VARIABLES_BYTES), 'the variables'));
}

/** Reads the result of an answer's look-up. */
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

/** The JSON value in a result's only part. @throws RlmError `not-json` for an integer that a number cannot hold */
export function parseValue(result: GuestResult): JsonValue {
  checkResult(result);
  const value = parsePart(result.parts.bytes(Number.MAX_SAFE_INTEGER), 'a value', parseWithDigits);
  const [lost] = lostNumbers(value);
  if (lost === undefined) return asNumbers(value) as JsonValue;
  throw new RlmError({
    code: 'not-json',
    message: `The variable holds an integer that JavaScript would round (${lostDigits(lost)}; in a cell str(…) makes one of it).`,
    userAction: true,
    data: { path: lost.path, digits: lost.digits },
  });
}

/** Reads the value of an answer: one part, and what it is by `form`: a string, JSON text, or `str(value)`. */
export function answerParts(
  fields: Fields,
  parts: PartReader,
  limits: ReplLimits,
): { readonly json: string | null; readonly text: string } {
  const form = readChoice(fields, 'form', ['string', 'json', 'text']);
  const bytes = parts.bytes(limits.answerBytes);
  const text = bytes.toString('utf8');
  if (form === 'string') return { json: JSON.stringify(text), text };
  if (form === 'text') return { json: null, text };
  parsePart(bytes, 'an answer');
  return { json: text, text };
}

/** Reads a whole answer. */
export function parseAnswer(fields: Fields, parts: PartReader, limits: ReplLimits): Answer {
  const via = readChoice(fields, 'via', ['final', 'final-var', 'answer']);
  return { via, ...answerParts(fields, parts, limits) };
}

/** Reads the outcome of a bash command that the guest ran. */
export function parseBash(result: GuestResult): BashOutcome {
  const exitCode = readInteger(checkResult(result), 'exit_code', -1000, 1000);
  const { stdout, stderr, durationMs, stopped } = result;
  return { ok: exitCode === 0, exitCode, stdout, stderr, durationMs, timedOut: stopped === 'deadline' };
}

/** The outcome of a bash command that took its guest with it. */
export function lostBash({ record }: GuestLost, restarted: RestartInfo): BashOutcome {
  const { stdout, stderr, durationMs, stopped } = record;
  return { ok: false, exitCode: 137, stdout, stderr, durationMs, timedOut: stopped === 'deadline', restarted };
}

/**
 * Outcomes of cells whose guest was stopped or lost.
 *
 * @module
 */

/** The outcome of a cell, in which the reason of an interrupt replaces `KeyboardInterrupt`. */
export function explainStop(outcome: CellOutcome, stopped: Stopped, limitMs: number): CellOutcome {
  const { error } = outcome;
  if (stopped === undefined || error === null) return outcome;
  const reason = stopError(stopped, limitMs, 'was interrupted');
  const lines = error.traceback.trimEnd().split('\n');
  if (error.type === 'KeyboardInterrupt' && lines.at(-1)?.startsWith('KeyboardInterrupt')) lines.pop();
  const traceback = `${[...lines, reason.traceback].join('\n')}`;
  return { ...outcome, error: { ...reason, traceback } };
}

/** The outcome of a cell that took its guest with it. */
export function lostOutcome(lost: GuestLost, limitMs: number, restarted: RestartInfo): CellOutcome {
  const { stdout, stderr, durationMs, stopped } = lost.record;
  const error =
    stopped === undefined
      ? crashError(lost)
      : stopError(stopped, limitMs, 'did not stop when it was interrupted, and the REPL was killed');
  return { ok: false, stdout, stderr, value: null, error, durationMs, timedOut: stopped === 'deadline', restarted };
}

function stopError(stopped: 'deadline' | 'cancelled', limitMs: number, how: string): CellError {
  const type = stopped === 'deadline' ? 'TimeoutError' : 'Cancelled';
  const message =
    stopped === 'deadline'
      ? `the cell ran longer than ${limitMs} ms and ${how}`
      : `the run was stopped; the cell ${how}`;
  return { type, message, traceback: `${type}: ${message}\n` };
}

function crashError(lost: GuestLost): CellError {
  const type = lost.code === 'channel-violation' ? 'ChannelViolation' : 'ReplCrashed';
  return { type, message: lost.message, traceback: `${type}: ${lost.message}\n` };
}
