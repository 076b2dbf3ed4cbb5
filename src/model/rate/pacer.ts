/**
 * Finds the rate a provider allows from nothing but its refusals, and keeps to it.
 *
 * Two refusals mark two moments at which the provider's bucket was empty; what it accepted between them is what it
 * refilled, so `accepted / elapsed` between refusals is its rate, whatever the size of its bucket. We send a little below
 * that and creep upwards, so that a higher limit is noticed at the price of a rare refusal.
 */
export interface Pacer {
  /** Requests per second; undefined while nothing was refused. */
  readonly rate: number | undefined;
  /** Milliseconds until the next request may be sent. */
  delayMs(now: number): number;
  /** A request is sent; the answer is its ordinal. */
  sent(now: number): number;
  /** A request was refused for its rate; true when that is news and not the echo of a known overshoot. */
  refused(ordinal: number, sentAt: number): boolean;
  /** Nothing may be sent before `until`. */
  pause(until: number): void;
}

/** A moment at which the provider's bucket was empty. */
interface Anchor {
  readonly ordinal: number;
  readonly sentAt: number;
  readonly refused: number;
  /** Milliseconds of pause before it, since the pacer began. */
  readonly paused: number;
}

/** How long refusals are remembered, and how many accepted requests make an estimate. */
const MEMORY_MS = 30_000;
const MIN_SAMPLE = 10;
const GOOD_SAMPLE = 100;
/** Below the estimate by its likely error. */
const MARGIN = 0.97;
const GOOD_MARGIN = 0.99;
/** Without an estimate a refusal takes this much off. */
const BLIND_CUT = 0.7;
/** Growth per second: at first, and after a long time without refusals. */
const CREEP = 0.000_5;
const RECOVERY = 0.05;
const RECOVERY_AFTER_MS = 30_000;
/** Time to reach the upper bound when two readings of the rate differ. */
const CATCH_UP_S = 5;
/** A timer that fires late is made up for, within this many milliseconds. */
const LATE_MS = 100;

/** Starts without a pace. */
export function createPacer(): Pacer {
  let rate: number | undefined;
  let upper = 0;
  let nextAt = 0;
  let sent = 0;
  let refused = 0;
  let cutOrdinal = 0;
  let firstSentAt: number | undefined;
  let lastRefusalAt = 0;
  let lastGrowthAt = 0;
  let pausedUntil = 0;
  let paused = 0;
  let anchors: Anchor[] = [];

  const grow = (now: number): void => {
    if (rate === undefined) return;
    const elapsed = (now - lastGrowthAt) / 1000;
    if (elapsed <= 0) return;
    lastGrowthAt = now;
    if (rate < upper) {
      rate = Math.min(upper, rate + (upper * elapsed) / CATCH_UP_S / 2);
      return;
    }
    const quiet = now - lastRefusalAt > RECOVERY_AFTER_MS;
    rate *= 1 + (quiet ? RECOVERY : CREEP) * elapsed;
  };

  const estimate = (ordinal: number, sentAt: number): void => {
    const anchor = anchors[0];
    const from = anchor ?? { ordinal: 0, sentAt: firstSentAt ?? sentAt, refused: 0, paused: 0 };
    const accepted = ordinal - from.ordinal - (refused - from.refused);
    const elapsed = sentAt - from.sentAt;
    const running = elapsed - (paused - from.paused);
    if (anchor !== undefined && accepted >= MIN_SAMPLE && elapsed > 0) {
      const margin = accepted >= GOOD_SAMPLE ? GOOD_MARGIN : MARGIN;
      // What a pause refilled may have been lost in a small bucket: the truth lies between the two readings.
      rate = (accepted / elapsed) * 1000 * margin;
      upper = Math.max(rate, (accepted / Math.max(1, running)) * 1000 * MARGIN);
      if (upper / rate > 3) upper = rate;
    } else if (rate === undefined) {
      rate = (Math.max(1, accepted) / Math.max(20, elapsed)) * 1000 * BLIND_CUT;
      upper = rate;
    } else {
      rate *= BLIND_CUT;
      upper = rate;
    }
  };

  return {
    get rate() {
      return rate;
    },
    delayMs(now) {
      grow(now);
      return rate === undefined ? 0 : Math.max(0, nextAt - now);
    },
    sent(now) {
      sent += 1;
      firstSentAt ??= now;
      if (rate !== undefined) nextAt = Math.max(nextAt, now - LATE_MS) + 1000 / rate;
      return sent;
    },
    refused(ordinal, sentAt) {
      refused += 1;
      if (ordinal <= cutOrdinal) return false;
      estimate(ordinal, sentAt);
      cutOrdinal = sent;
      lastRefusalAt = sentAt;
      lastGrowthAt = sentAt;
      anchors = anchors.filter((anchor) => sentAt - anchor.sentAt < MEMORY_MS);
      anchors.push({ ordinal, sentAt, refused, paused });
      return true;
    },
    pause(until) {
      const from = Math.max(pausedUntil, lastRefusalAt);
      if (until <= from) return;
      paused += until - from;
      pausedUntil = until;
      nextAt = Math.max(nextAt, until);
    },
  };
}
