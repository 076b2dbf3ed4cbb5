import { CompletionError, type CompletionResult } from '../engine/result.ts';
import { errorRow } from '../error-table.ts';
import { RlmError } from '../errors.ts';
import type { StopReason } from '../event/event.ts';

/**
 * The exit codes of `fathom`. The table in `docs/cli.md` has the same lines.
 *
 * The codes are part of the interface: scripts branch on them, so a cause never changes its number.
 */
export const EXIT = {
  /** The question is answered. */
  answered: 0,
  /** A model, the REPL or Fathom itself failed. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Turns, errors or the user ended the run; the best answer so far is on stdout. */
  exhausted: 3,
  /** A budget (money, tokens, time, sub-calls) ended the run; the best answer so far is on stdout. */
  budget: 4,
  /** Something has to be set up first: a key, a model, a price, isolation, a file that is not there. */
  setup: 5,
  /** Stopped by a second Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
  /** Stopped by SIGTERM: 128 + SIGTERM. */
  terminated: 143,
} as const;

const BUDGET_STOPS: ReadonlySet<StopReason> = new Set(['token-limit', 'cost-limit', 'time-limit', 'call-limit']);

/** The exit code of a run that gave a result. */
export function exitCodeOf({ outcome, stop }: Pick<CompletionResult<unknown>, 'outcome' | 'stop'>): number {
  if (outcome === 'converged') return EXIT.answered;
  return BUDGET_STOPS.has(stop) ? EXIT.budget : EXIT.exhausted;
}

/** The exit code of an error, whatever was thrown. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof CompletionError && error.result.outcome === 'aborted') return EXIT.interrupted;
  if (!RlmError.isInstance(error)) return EXIT.failed;
  const { exit } = errorRow(error.code);
  if (exit !== EXIT.failed) return exit;
  if (error.userAction) return EXIT.setup;
  return error.budget ? EXIT.budget : EXIT.failed;
}
