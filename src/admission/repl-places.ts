import type { Clock } from '../clock.ts';
import { RlmError } from '../errors.ts';
import { maxSessionsOf } from '../limits.ts';
import { Admission } from './admission.ts';
import type { AdmittedTree, Grant, WaitingRequest } from './tree.ts';

/** The most REPLs, and the most runs that wait for one. */
export interface PlaceLimits {
  readonly maxRepls: number;
  readonly maxQueuedRuns: number;
}

/** How many REPLs there are and who waits for one. */
export interface PlaceFigures extends PlaceLimits {
  /** Open or secured for a run. */
  readonly repls: number;
  /** Of these, REPLs of sessions. */
  readonly sessions: number;
  /** Runs and sessions that wait. */
  readonly queued: number;
}

/** How a request waits. */
export interface WaitOptions {
  readonly signal: AbortSignal;
  /** May be refused when too many wait: nothing of it is done yet. */
  readonly refusable: boolean;
  /** Called with the position of a request that waits. The wait is not over before this has settled. */
  readonly onQueued?: (position: number) => Promise<void>;
}

/** Milliseconds between two grants, as long as none are known. */
const UNKNOWN_INTERVAL_MS = 1_000;
/** Milliseconds a refused caller is asked to wait: the queue should have moved, and a caller should not give up. */
const RETRY_AFTER_MS = { least: 100, most: 60_000 } as const;
/** Grants that the rate of the queue is measured over. */
const RECENT_GRANTS = 32;

/** Room for one REPL. */
export interface ReplPlace {
  /** The place is not given back before this has settled: a REPL that is closing still takes memory. */
  until(closed: Promise<unknown>): void;
  /** Gives the place back. Idempotent. */
  leave(): void;
}

/** A place that is given back by `leave`, once all that it waits for has settled. */
export function replPlace(leave: () => void): ReplPlace {
  const closing: Promise<unknown>[] = [];
  let left = false;
  return {
    until: (closed) => closing.push(closed),
    leave() {
      if (left) return;
      left = true;
      if (closing.length === 0) leave();
      else void Promise.allSettled(closing).then(leave);
    },
  };
}

/** Room for the REPLs of one `Rlm`: who waits, who is refused, who is next. */
export class ReplPlaces {
  readonly #limits: PlaceLimits;
  readonly #admission: Admission;
  readonly #clock: Clock;
  readonly #grantedAt: number[] = [];
  /** Sessions that wait for a place or have one. */
  #sessions = 0;

  constructor(limits: PlaceLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#admission = new Admission(limits.maxRepls);
  }

  /** REPLs open at once at the most. */
  get maxRepls(): number {
    return this.#limits.maxRepls;
  }

  /** How full it is: the figures of refusals and of `rlm.status()`. */
  get figures(): PlaceFigures {
    const { taken, sessions, queued } = this.#admission.figures;
    return { ...this.#limits, repls: taken, sessions, queued };
  }

  /** A place is free: a REPL may be kept warm in it. */
  get hasRoom(): boolean {
    return this.#admission.figures.taken < this.#limits.maxRepls;
  }

  /**
   * Waits for the place of a session's REPL.
   *
   * @throws RlmError `overloaded` when sessions have half of all places, or when too many wait
   */
  async enterSession(options: Omit<WaitOptions, 'refusable'>): Promise<ReplPlace> {
    const most = maxSessionsOf(this.#limits.maxRepls);
    if (this.#sessions >= most) throw this.#tooManySessions(most);
    this.#sessions += 1;
    const left = (): void => {
      this.#sessions -= 1;
    };
    try {
      const request = (granted: (place: Grant) => void) => this.#admission.requestSession(granted);
      const grant = await this.wait(request, { ...options, refusable: true });
      return replPlace(() => {
        left();
        grant.leave();
      });
    } catch (error) {
      left();
      throw error;
    }
  }

  /** Waits for the places of a tree. @throws RlmError `overloaded`, or the signal's reason */
  async enterTree(shape: Parameters<Admission['requestTree']>[0], options: WaitOptions): Promise<AdmittedTree> {
    return await this.wait((granted) => this.#admission.requestTree(shape, granted), options);
  }

  /** Waits for a grant. @throws RlmError `overloaded`, or the signal's reason */
  async wait<G extends Grant>(
    request: (granted: (grant: G) => void) => WaitingRequest | undefined,
    { signal, refusable, onQueued }: WaitOptions,
  ): Promise<G> {
    signal.throwIfAborted();
    const granted = Promise.withResolvers<G>();
    const queued = request((grant) => {
      this.#note();
      granted.resolve(grant);
    });
    if (queued === undefined) return await granted.promise;
    const stop = (reason: unknown): void => {
      queued.withdraw();
      granted.reject(reason);
    };
    const onAbort = (): void => stop(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    // Handled by the await below, which comes later where the wait is being recorded.
    granted.promise.catch(() => undefined);
    try {
      if (refusable && queued.position > this.#limits.maxQueuedRuns) throw this.#tooManyQueued();
      await onQueued?.(queued.position);
      return await granted.promise;
    } catch (error) {
      stop(error);
      // It may have been granted meanwhile.
      granted.promise.then((grant) => grant.leave()).catch(() => undefined);
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #note(): void {
    this.#grantedAt.push(this.#clock.now());
    if (this.#grantedAt.length > RECENT_GRANTS) this.#grantedAt.shift();
  }

  /** About how long it takes until the queue has moved by one, by how fast it has moved of late. */
  get #retryAfterMs(): number {
    const [first] = this.#grantedAt;
    const steps = this.#grantedAt.length - 1;
    const interval = first === undefined || steps < 1 ? UNKNOWN_INTERVAL_MS : (this.#clock.now() - first) / steps;
    return Math.round(Math.min(Math.max(interval, RETRY_AFTER_MS.least), RETRY_AFTER_MS.most));
  }

  #tooManyQueued(): RlmError {
    const { maxRepls, maxQueuedRuns } = this.#limits;
    const retryAfterMs = this.#retryAfterMs;
    return new RlmError({
      code: 'overloaded',
      message: `All ${maxRepls} REPLs are in use (maxRepls) and ${maxQueuedRuns} runs already wait for one (maxQueuedRuns). Try again in ${retryAfterMs} ms, or raise one of the two.`,
      retryable: true,
      data: {
        limit: 'maxQueuedRuns',
        maxRepls,
        maxQueuedRuns,
        queued: this.#admission.figures.queued - 1,
        retryAfterMs,
      },
    });
  }

  #tooManySessions(most: number): RlmError {
    const { maxRepls, maxQueuedRuns } = this.#limits;
    const remedy = maxRepls < 2 ? 'raise maxRepls to at least 2' : 'close a session, or raise maxRepls';
    return new RlmError({
      code: 'overloaded',
      message: `Sessions may have ${most} of ${maxRepls} REPLs (half of maxRepls), and ${this.#sessions} are open: ${remedy}.`,
      retryable: true,
      data: {
        limit: 'maxRepls',
        maxRepls,
        maxQueuedRuns,
        sessions: this.#sessions,
        maxSessions: most,
        retryAfterMs: this.#retryAfterMs,
      },
    });
  }
}
