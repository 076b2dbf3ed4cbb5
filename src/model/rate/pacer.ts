import { refillRate } from './refill-rate.ts';

/**
 * Finds the rate a provider allows from nothing but its refusals, and keeps to it.
 *
 * Two refusals mark two moments at which the provider's bucket was empty; what it accepted between them says how fast it
 * refills. We send a little below that and creep upwards, so that a higher limit is noticed at the price of a rare
 * refusal.
 */
export interface Pacer {
  /** Requests per second as estimated; undefined while there is no estimate to rely on. */
  readonly rate: number | undefined;
  /** Milliseconds until the next request may be sent. */
  delayMs(now: number): number;
  /** A request is sent; the answer is its ordinal. */
  sent(now: number): number;
  /** A request was refused for its rate; true when that is news and not the echo of a known overshoot. */
  refused(ordinal: number, sentAt: number): boolean;
  /** Nothing is sent until then. */
  pause(until: number): void;
}

/** How far back refusals and requests are remembered. */
const MEMORY_MS = 30_000;
const MEMORY_REQUESTS = 3_000;
/** How many accepted requests make an estimate, and a good one. */
const MIN_SAMPLE = 5;
const GOOD_SAMPLE = 300;
/** Below the estimate by its likely error. */
const MARGIN = 0.98;
const GOOD_MARGIN = 0.99;
/** The first refusal: the bucket is taken for a second's worth of the rate, and this much is tried. */
const FIRST_CUT = 0.75;
const FIRST_MS = 1_000;
const FIRST_LEAST = 4;
/** Without an estimate: what a refusal leaves, and growth per second in search of the limit. */
const BLIND_CUT = 0.7;
const SEARCH = 1;
/** Growth per second with an estimate, with a good one, and long after the last refusal. */
const CREEP = 0.01;
const GOOD_CREEP = 0.000_5;
const RECOVERY = 0.05;
const RECOVERY_AFTER_MS = 30_000;
/** Most that one request may add. */
const MAX_STEP = 0.25;
/** A bucket of one or two refuses at its own rate whatever comes early: many refusals in a row take off more. */
const STRIKE_REQUESTS = 50;
const STRIKES_ALLOWED = 2;
const STRIKE_CUT = 0.93;
/** A timer that fires late is made up for, within this many milliseconds. */
const LATE_MS = 50;

interface Sent {
  readonly ordinal: number;
  readonly at: number;
}

/** One overshoot: a refusal that was news, and those that came of requests sent before we knew of it. */
interface Refusal {
  /** When the last refused request was sent: the bucket was empty then. */
  at: number;
  /** Requests up to this one were sent before we knew. */
  readonly cut: number;
}

/** Starts without a pace. */
export function createPacer(): Pacer {
  let rate: number | undefined;
  let sample = 0;
  let nextAt = 0;
  let count = 0;
  /** Requests sent and not refused. */
  let accepted: Sent[] = [];
  let firstRefusal: Refusal | undefined;
  let first: readonly number[] | undefined;
  let refusals: Refusal[] = [];

  /** Growth per request sent, so that what is not used does not grow. */
  const grow = (now: number): void => {
    if (rate === undefined) return;
    const quiet = now - (refusals.at(-1)?.at ?? 0) > RECOVERY_AFTER_MS;
    const creep = sample < GOOD_SAMPLE ? CREEP : GOOD_CREEP;
    const perSecond = sample < MIN_SAMPLE ? SEARCH : quiet ? RECOVERY : creep;
    rate *= 1 + Math.min(MAX_STEP, perSecond / rate);
  };

  const guess = (ordinal: number, sentAt: number): number => {
    const before = accepted.filter((request) => request.ordinal < ordinal);
    const span = Math.max(FIRST_MS, sentAt - (before[0]?.at ?? sentAt));
    return (Math.max(FIRST_LEAST, before.length) / span) * 1000 * FIRST_CUT;
  };

  const estimate = (from: Refusal, ordinal: number, sentAt: number): number => {
    first ??= accepted.filter((request) => request.ordinal <= (firstRefusal?.cut ?? 0)).map(({ at }) => at);
    const between = accepted
      .filter((request) => request.ordinal < ordinal && (request.ordinal > from.cut || request.at > from.at))
      .map(({ at }) => at);
    sample = between.length;
    if (sample < MIN_SAMPLE) return (rate ?? 1) * BLIND_CUT;
    const found = refillRate({ emptyAt: from.at, refusedAt: sentAt, accepted: between, first });
    const strikes = refusals.filter(({ cut }) => ordinal - cut < STRIKE_REQUESTS).length;
    const calm = STRIKE_CUT ** Math.max(0, strikes - STRIKES_ALLOWED);
    return found * (sample < GOOD_SAMPLE ? MARGIN : GOOD_MARGIN) * calm;
  };

  const forget = (now: number): void => {
    accepted = accepted.slice(-MEMORY_REQUESTS);
    const oldest = accepted[0]?.ordinal ?? 0;
    const last = refusals.at(-1);
    refusals = refusals.filter(
      (refusal) => refusal === last || (now - refusal.at < MEMORY_MS && refusal.cut >= oldest),
    );
  };

  return {
    get rate() {
      return sample < MIN_SAMPLE ? undefined : rate;
    },
    delayMs(now) {
      return rate === undefined ? 0 : Math.max(0, nextAt - now);
    },
    sent(now) {
      count += 1;
      accepted.push({ ordinal: count, at: now });
      if (accepted.length > MEMORY_REQUESTS * 2) forget(now);
      grow(now);
      if (rate !== undefined) nextAt = Math.max(nextAt, now - LATE_MS) + 1000 / rate;
      return count;
    },
    refused(ordinal, sentAt) {
      accepted = accepted.filter((request) => request.ordinal !== ordinal);
      const last = refusals.at(-1);
      if (last !== undefined && ordinal <= last.cut) {
        last.at = Math.max(last.at, sentAt);
        return false;
      }
      forget(sentAt);
      const [from] = refusals;
      rate = from === undefined ? guess(ordinal, sentAt) : estimate(from, ordinal, sentAt);
      const refusal = { at: sentAt, cut: count };
      firstRefusal ??= refusal;
      refusals.push(refusal);
      return true;
    },
    pause(until) {
      nextAt = Math.max(nextAt, until);
    },
  };
}
