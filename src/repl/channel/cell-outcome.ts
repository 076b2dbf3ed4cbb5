/**
 * Outcomes of cells whose guest was stopped or lost.
 *
 * @module
 */
import type { CellError, CellOutcome, RestartInfo } from '../port.ts';
import type { GuestLost, Stopped } from './guest-command.ts';

/** The outcome of a cell, with an interrupt told as what it was. */
export function explainStop(outcome: CellOutcome, stopped: Stopped, limitMs: number): CellOutcome {
  const { error } = outcome;
  if (stopped === undefined || error === null) return outcome;
  const told = stopError(stopped, limitMs, 'was interrupted');
  const lines = error.traceback.trimEnd().split('\n');
  if (error.type === 'KeyboardInterrupt' && lines.at(-1)?.startsWith('KeyboardInterrupt')) lines.pop();
  const traceback = `${[...lines, told.traceback].join('\n')}`;
  return { ...outcome, error: { ...told, traceback } };
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
