import { checkSignal, invalidOption, isObject, kindOf } from '../argument-checks.ts';
import { RlmError } from '../errors.ts';
import { jsonText } from '../json-text.ts';
import { checkOptionNames } from '../option-names.ts';
import type { ExecuteOptions } from './session.ts';

/**
 * @throws RlmError `invalid-option` when `value` is not a text
 */
export function checkText(what: string, value: unknown): void {
  if (typeof value === 'string') return;
  throw invalidOption(`The ${what} must be a text; this is ${kindOf(value)}`);
}

/**
 * @throws RlmError `invalid-option`, `invalid-limit` for a time that is not one
 */
export function checkOptions(options: ExecuteOptions): void {
  if (!isObject(options)) throw invalidOption(`The options have to be an object; this is ${kindOf(options)}`);
  checkOptionNames<ExecuteOptions>('This command', options, { timeoutMs: true, signal: true });
  const { timeoutMs, signal } = options;
  checkSignal(signal);
  if (timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs > 0)) return;
  throw new RlmError({
    code: 'invalid-limit',
    message: `The limit timeoutMs = ${String(timeoutMs)} is not valid: give milliseconds above 0.`,
    userAction: true,
    data: { limit: 'timeoutMs' },
  });
}

/** @throws RlmError `not-json` for what would reach the REPL as something else, or not at all */
export function checkValue(name: string, value: unknown): void {
  jsonText(
    value,
    (what) =>
      new RlmError({
        code: 'not-json',
        message: `The variable '${name}' cannot be set: ${what}.`,
        userAction: true,
        data: { name },
      }),
  );
}
