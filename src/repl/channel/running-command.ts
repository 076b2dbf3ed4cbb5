import type { Clock } from '../../clock.ts';
import type { ReplLimits } from '../port.ts';
import { type CellClock, startCellClock } from './cell-clock.ts';
import type { CommandRecord, GuestCommand, GuestLost, GuestResult, Stopped } from './guest-command.ts';
import { captureOutput, type OutputCapture } from './output-capture.ts';

/** The command that a guest runs: its output, its time, and who waits for it. */
export interface RunningCommand {
  readonly id: number;
  readonly capture: OutputCapture;
  readonly clock: CellClock;
  readonly startedAt: number;
  onOutput: GuestCommand['onOutput'];
  /** Bytes of output that its watcher may still get. */
  watchedBytes: number;
  readonly resolve: (result: GuestResult) => void;
  readonly reject: (error: GuestLost) => void;
  readonly release: () => void;
  stopped: Stopped;
  cancelKill: (() => void) | undefined;
}

interface StartParts extends Pick<RunningCommand, 'id' | 'resolve' | 'reject'> {
  readonly limits: ReplLimits;
  readonly clock: Clock;
  /** Called when its time is up, or its signal fires. */
  readonly stop: (current: RunningCommand, why: 'deadline' | 'cancelled') => void;
}

/** Starts the time and the output of a command. */
export function startCommand(
  { timeoutMs, onOutput, signal }: GuestCommand,
  { id, resolve, reject, limits, clock, stop }: StartParts,
): RunningCommand {
  const current: RunningCommand = {
    id,
    resolve,
    reject,
    onOutput,
    capture: captureOutput(limits.outputBytes),
    clock: startCellClock(clock, timeoutMs ?? limits.cellTimeoutMs, () => stop(current, 'deadline')),
    startedAt: clock.now(),
    watchedBytes: limits.outputBytes,
    release: watchSignal(signal, () => stop(current, 'cancelled')),
    stopped: undefined,
    cancelKill: undefined,
  };
  return current;
}

function watchSignal(signal: AbortSignal | undefined, current: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    process.nextTick(current);
    return () => {};
  }
  signal.addEventListener('abort', current, { once: true });
  return () => signal.removeEventListener('abort', current);
}

/** The record of a command at its end. */
export function recordOf(current: RunningCommand, now: number): CommandRecord {
  return { ...current.capture.finish(), durationMs: now - current.startedAt, stopped: current.stopped };
}

/**
 * Passes output to its watcher, at most `outputBytes` of it per command. A watcher that throws is not called again; the
 * guest is not to blame.
 */
export function reportOutput(current: RunningCommand, stream: 'stdout' | 'stderr', bytes: Buffer): void {
  const piece = bytes.subarray(0, current.watchedBytes);
  current.watchedBytes -= piece.length;
  if (piece.length === 0) return;
  try {
    current.onOutput?.(stream, piece.toString('utf8'));
  } catch {
    current.onOutput = undefined;
  }
}
