import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CompletionError, type Unfinished } from '../engine/result.ts';
import { RlmError, type RlmErrorCode } from '../errors.ts';
import type { StopReason } from '../event/event.ts';
import { EXIT, exitCodeOf, exitCodeOfError } from './exit-codes.ts';

test('an answer is 0, whatever way it was given', () => {
  expect(exitCodeOf({ outcome: 'converged', stop: 'final' })).toBe(0);
  expect(exitCodeOf({ outcome: 'converged', stop: 'final-var' })).toBe(0);
});

test('a spent budget has another code than other limits', () => {
  const codes = (stops: readonly StopReason[]) => stops.map((stop) => exitCodeOf({ outcome: 'exhausted', stop }));
  expect(codes(['token-limit', 'cost-limit', 'time-limit', 'call-limit'])).toEqual([4, 4, 4, 4]);
  expect(codes(['max-turns', 'no-code', 'error-limit', 'finish-requested'])).toEqual([3, 3, 3, 3]);
});

test('errors say who has to act', () => {
  const code = (name: RlmErrorCode, flags = {}) => exitCodeOfError(new RlmError({ code: name, message: '', ...flags }));
  expect(code('invalid-limit', { userAction: true })).toBe(EXIT.usage);
  expect(code('missing-key', { userAction: true })).toBe(EXIT.setup);
  expect(code('rate-limited', { userAction: true })).toBe(EXIT.setup);
  expect(code('context-not-found', { userAction: true })).toBe(EXIT.setup);
  expect(code('model-failure')).toBe(EXIT.failed);
  expect(code('repl-failure')).toBe(EXIT.failed);
  expect(code('overloaded', { retryable: true })).toBe(EXIT.failed);
  expect(exitCodeOfError(new TypeError('a bug'))).toBe(EXIT.failed);
});

test('a cancelled run is 130', () => {
  const result = { outcome: 'aborted' } as Unfinished;
  const error = new CompletionError({ code: 'cancelled', message: '', result, resumable: false });
  expect(exitCodeOfError(error)).toBe(EXIT.interrupted);
});

test('docs/cli.md names every code', () => {
  const documented = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
  for (const code of Object.values(EXIT)) expect(documented).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
});
