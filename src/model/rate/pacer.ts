import { type BucketEvidence, bucketSize, refillRate } from './refill-rate.ts';
import { createRefusalHistory } from './refusal-history.ts';

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
const ROW_ALLOWED = 2;
const ROW_CUT = 0.93;
/** A timer that fires late is made up for, within this many milliseconds and within what the bucket holds. */
const LATE_MS = 50;
/** What a bucket of one request leaves no room for: a refusal whenever two come closer than its rate. */
const SPARE_LEAST = 1.5;
/** Timers are late by a millisecond or two all the time: at this rate and above that is always made up for. */
const TIMER_MS = 2;
const TIMER_RATE = 50;

/** Starts without a pace. */
export function createPacer(): Pacer {
  const history = createRefusalHistory();
  let rate: number | undefined;
  let sample = 0;
  let nextAt = 0;
  /** Requests the bucket holds beyond those of an even pace. */
  let spare = Number.POSITIVE_INFINITY;

  return {
    get rate() {
      return sample < MIN_SAMPLE ? undefined : rate;
    },
    delayMs: (now) => (rate === undefined ? 0 : Math.max(0, nextAt - now)),
    sent(now) {
      if (rate !== undefined) {
        // Growth per request sent, so that what is not used does not grow.
        rate *= 1 + Math.min(MAX_STEP, growth(sample, now - (history.lastRefusalAt ?? 0)) / rate);
        nextAt = Math.max(nextAt, now - lateMs(rate, spare)) + 1000 / rate;
      }
      return history.sent(now);
    },
    refused(ordinal, sentAt) {
      const news = history.refused(ordinal, sentAt);
      if (news.kind === 'echo') return false;
      if (news.kind === 'first') {
        rate = (Math.max(FIRST_LEAST, news.accepted) / Math.max(FIRST_MS, news.elapsedMs)) * 1000 * FIRST_CUT;
      } else {
        sample = news.evidence.accepted.length;
        rate = sample < MIN_SAMPLE ? (rate ?? 1) * BLIND_CUT : estimate(news.evidence, news.inARow);
        spare = Math.max(0, bucketSize(rate / 1000, news.evidence.first) - SPARE_LEAST);
      }
      return true;
    },
    pause(until) {
      nextAt = Math.max(nextAt, until);
    },
  };
}

/** Milliseconds of lateness that are made up for. */
function lateMs(rate: number, spare: number): number {
  return Math.min(LATE_MS, Math.max((1000 * spare) / rate, TIMER_MS * Math.min(1, rate / TIMER_RATE)));
}

/** Per second, as a share of the rate. */
function growth(sample: number, quietMs: number): number {
  if (sample < MIN_SAMPLE) return SEARCH;
  if (quietMs > RECOVERY_AFTER_MS) return RECOVERY;
  return sample < GOOD_SAMPLE ? CREEP : GOOD_CREEP;
}

function estimate(evidence: BucketEvidence, inARow: number): number {
  const margin = evidence.accepted.length < GOOD_SAMPLE ? MARGIN : GOOD_MARGIN;
  return refillRate(evidence) * margin * ROW_CUT ** Math.max(0, inARow - ROW_ALLOWED);
}
