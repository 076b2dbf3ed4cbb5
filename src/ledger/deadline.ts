import type { Clock } from '../clock.ts';

/** Time kept back for the last call: 30 s (D55), but never more than this share of the whole. */
const LAST_CALL_MS = 30_000;
const LAST_CALL_SHARE = 0.2;

/** What bounds a completion's time. */
export interface DeadlineOptions {
  readonly clock: Clock;
  /** Milliseconds since the epoch at which its time began. */
  readonly start: number;
  /** Milliseconds since the epoch; `Infinity` for none. */
  readonly hard: number;
  /** The reason with which the signals fire. */
  readonly reason: () => Error;
  /** Called once when the working deadline and when the hard deadline has passed. */
  readonly onPassed: () => void;
}

/** The two deadlines of a completion: after `working` only its last call may start, after `hard` nothing may run. */
export class Deadline {
  readonly start: number;
  readonly working: number;
  readonly hard: number;
  readonly #clock: Clock;
  readonly #working = new AbortController();
  readonly #hard = new AbortController();
  readonly #cancels: (() => void)[];

  constructor(options: DeadlineOptions) {
    const { clock, start, hard } = options;
    this.#clock = clock;
    this.start = start;
    this.hard = hard;
    const rest = Math.max(0, hard - clock.now());
    this.working = hard - Math.min(LAST_CALL_MS, Math.floor(rest * LAST_CALL_SHARE));
    this.#cancels = [this.#abortAt(this.working, this.#working, options), this.#abortAt(hard, this.#hard, options)];
  }

  get workingSignal(): AbortSignal {
    return this.#working.signal;
  }

  get hardSignal(): AbortSignal {
    return this.#hard.signal;
  }

  /** True when it is too late to start a call; the last call may start until the hard deadline. */
  passed(isFinal: boolean): boolean {
    const now = this.#clock.now();
    return now >= (isFinal ? this.hard : this.working);
  }

  /** A deadline that has passed before the completion began is known at once. */
  #abortAt(instant: number, controller: AbortController, { reason, onPassed }: DeadlineOptions): () => void {
    if (this.#clock.now() >= instant) {
      controller.abort(reason());
      return () => {};
    }
    return callAt(this.#clock, instant, () => {
      controller.abort(reason());
      onPassed();
    });
  }

  close(): void {
    for (const cancel of this.#cancels) cancel();
  }
}

/** Runs `callback` once at `instant`, however early the clock's own timers fire; the returned function cancels it. */
export function callAt(clock: Clock, instant: number, callback: () => void): () => void {
  if (instant === Number.POSITIVE_INFINITY) return () => {};
  const arm = (): (() => void) =>
    clock.schedule(Math.max(0, instant - clock.now()), () => {
      if (clock.now() >= instant) callback();
      else cancel = arm();
    });
  let cancel = arm();
  return () => cancel();
}
