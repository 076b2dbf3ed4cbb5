import { RlmError } from '../errors.ts';
import type { StopReason } from '../event/event.ts';
import type { Ledger, Resource } from '../ledger/index.ts';
import { RestartTree } from './restart.ts';

/** Why a run has to end with a last call: the stop reason, and text that names the resource and the limit. */
export interface LimitReached {
  readonly stop: Exclude<StopReason, 'final' | 'final-var' | 'cancelled' | 'model-failure' | 'repl-failure'>;
  readonly reason: string;
}

const RESOURCE_STOP = { calls: 'call-limit', tokens: 'token-limit', cost: 'cost-limit', time: 'time-limit' } as const;

/** The stop reason of a refusal by the ledger. */
export function stopOfResource(resource: Resource): LimitReached['stop'] {
  return RESOURCE_STOP[resource];
}

/** The run was cancelled. */
export class CancelledError extends RlmError {
  constructor(reason: string) {
    super({ code: 'cancelled', message: cancelledBecause(reason) });
  }
}

/** A sentence, also where the reason is one. */
export function cancelledBecause(reason: string): string {
  return `The run was cancelled: ${reason.replace(/\.$/, '')}.`;
}

/** The one place that decides whether a run may continue: finish and cancel requests, and deadlines. */
export class StopControl {
  readonly #work = new AbortController();
  readonly #hard = new AbortController();
  readonly #ledger: Ledger;
  #limit: LimitReached | undefined;
  #cancelled: string | undefined;
  #paused = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(ledger: Ledger, signal?: AbortSignal) {
    this.#ledger = ledger;
    const timeIsUp = (reason: unknown): void => void this.timeIsUp(reason);
    onAbort(ledger.workSignal, timeIsUp);
    // Where both deadlines are the same instant, this one's timer may be the first.
    onAbort(ledger.hardSignal, (reason) => {
      timeIsUp(reason);
      this.#hard.abort();
    });
    if (signal !== undefined) onAbort(signal, (reason) => this.cancel(reason));
  }

  /** Fires on cancel, on finish and at the work deadline: turns, cells and sub-calls run under it. */
  get workSignal(): AbortSignal {
    return this.#work.signal;
  }

  /** Fires on cancel and at the hard deadline: the last call runs under it. */
  get hardSignal(): AbortSignal {
    return this.#hard.signal;
  }

  /** Set once the run has to end with a last call. */
  get limit(): LimitReached | undefined {
    return this.#limit;
  }

  /** The reason of a cancel, after one. */
  get cancelled(): string | undefined {
    return this.#cancelled;
  }

  /** The run was stopped by {@link pause}: a stored one can be resumed. */
  get paused(): boolean {
    return this.#paused;
  }

  /** @throws CancelledError after a cancel, or the error that {@link fail} was given */
  throwIfStopped(): void {
    if (this.#cancelled !== undefined) throw new CancelledError(this.#cancelled);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Rethrows `RestartTree`: the run is about to be replayed, so nothing here counts as its end. */
  throwIfRestarting(): void {
    if (this.#cancelled === undefined && this.#failure?.error instanceof RestartTree) throw this.#failure.error;
  }

  /** The run cannot continue here (a quota is spent, a key is invalid): it fails with this error and can be resumed. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#work.abort();
  }

  /** The working deadline has passed: a call may notice it before the ledger's own timer does. */
  timeIsUp(reason: unknown = this.#ledger.timeIsUp()): LimitReached {
    const limit: LimitReached = {
      stop: 'time-limit',
      reason: reason instanceof Error ? reason.message : 'The time is up (maxDurationMs).',
    };
    this.#end(limit);
    return this.#limit ?? limit;
  }

  /** Asks for the best answer now. */
  finish(reason?: unknown): void {
    this.#end({ stop: 'finish-requested', reason: wordsOf(reason) ?? 'the caller asked for the best answer now' });
  }

  /** Stops the run now. */
  cancel(reason?: unknown): void {
    if (this.#cancelled !== undefined) return;
    this.#cancelled = wordsOf(reason) ?? 'cancelled by the caller';
    this.#work.abort();
    this.#hard.abort();
  }

  /** Stops the run now, as {@link cancel} does, and leaves a stored one resumable. After a cancel it has no effect. */
  pause(reason?: unknown): void {
    if (this.#cancelled !== undefined) return;
    this.#paused = true;
    this.cancel(reason ?? 'paused by the caller');
  }

  #end(limit: LimitReached): void {
    if (this.#limit !== undefined) return;
    this.#limit = limit;
    this.#work.abort();
  }
}

function onAbort(signal: AbortSignal, react: (reason: unknown) => void): void {
  if (signal.aborted) react(signal.reason);
  else signal.addEventListener('abort', () => react(signal.reason), { once: true });
}

/** The text of a reason; callers give the same values as to an `AbortController`. */
function wordsOf(reason: unknown): string | undefined {
  if (typeof reason === 'string') return reason.trim() === '' ? undefined : reason;
  // The default reason of AbortController has no information for a reader.
  return reason instanceof Error && reason.name !== 'AbortError' ? reason.message : undefined;
}
