import type { Clock } from '../clock.ts';
import { BudgetError, type BudgetState } from './budget-error.ts';

/** Time kept back for the last call: 30 s, but never more than this share of the whole. */
export const LAST_CALL_MS = 30_000;
const LAST_CALL_SHARE = 0.2;

/** The bounds of a completion's time. */
export interface DeadlineOptions {
  readonly clock: Clock;
  /** Milliseconds since the epoch at which its time began. */
  readonly start: number;
  /** Its own limit in milliseconds; `Infinity` for none. */
  readonly limit: number;
  /** The completion above: when its time for work is up earlier, that is what bounds this one. */
  readonly parent: Deadline | undefined;
  /** Called once when the work deadline and when the hard deadline has passed. */
  readonly onPassed: () => void;
}

/** The two deadlines of a completion: after `work` only its last call may start, after `hard` nothing may run. */
export class Deadline {
  /** Of the limit that binds, its own or one above. */
  readonly start: number;
  readonly limit: number;
  readonly work: number;
  readonly hard: number;
  readonly #clock: Clock;
  readonly #work = new AbortController();
  readonly #hard = new AbortController();
  readonly #cancels: (() => void)[];

  constructor(options: DeadlineOptions) {
    const { clock, parent } = options;
    this.#clock = clock;
    const own = options.start + options.limit;
    const inherited = parent?.work ?? Number.POSITIVE_INFINITY;
    this.hard = Math.min(own, inherited);
    const bound = parent !== undefined && inherited <= own ? parent : options;
    this.start = bound.start;
    this.limit = bound.limit;
    const rest = Math.max(0, this.hard - clock.now());
    this.work = this.hard - Math.min(LAST_CALL_MS, Math.floor(rest * LAST_CALL_SHARE));
    this.#cancels = [this.#abortAt(this.work, this.#work, options), this.#abortAt(this.hard, this.#hard, options)];
  }

  get workSignal(): AbortSignal {
    return this.#work.signal;
  }

  get hardSignal(): AbortSignal {
    return this.#hard.signal;
  }

  /** True when it is too late to start a call; the last call may start until the hard deadline. */
  passed(isFinal: boolean): boolean {
    const now = this.#clock.now();
    return now >= (isFinal ? this.hard : this.work);
  }

  /** The state of the time; for the last call, the time kept for it counts as left. */
  state(isFinal: boolean): BudgetState {
    const { start, limit, work, hard } = this;
    const now = this.#clock.now();
    const kept = limit === Number.POSITIVE_INFINITY ? 0 : start + limit - work;
    const left = Math.max(0, (isFinal ? hard : work) - now);
    return { resource: 'time', limit, spent: now - start, reserved: 0, kept, left };
  }

  /** The refusal of what comes too late. */
  late(): BudgetError {
    return new BudgetError({ ...this.state(false), needed: 0 });
  }

  close(): void {
    for (const cancel of this.#cancels) cancel();
  }

  /** A deadline that has passed before the completion began is known at once. */
  #abortAt(instant: number, controller: AbortController, { onPassed }: DeadlineOptions): () => void {
    if (this.#clock.now() >= instant) {
      controller.abort(this.late());
      return () => {};
    }
    return callAt(this.#clock, instant, () => {
      controller.abort(this.late());
      onPassed();
    });
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
