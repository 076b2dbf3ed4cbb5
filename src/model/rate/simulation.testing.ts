/** A provider with a token bucket, its callers and their clock, for tests of rate control: thirty seconds in no time. */

import type { Clock } from '../../clock.ts';
import { defined } from '../../defined.ts';
import { ModelError } from '../model-error.ts';
import type { Model } from '../port.ts';
import { createRateControl } from './rate-control.ts';

export interface SimulatedProvider {
  readonly perSecond: number;
  readonly burst: number;
  readonly latencyMs: number;
  readonly retryAfter?: 'seconds' | 'milliseconds';
  readonly headers?: boolean;
  /** Milliseconds from a response to the moment at which rate control hears of it. Default 1. */
  readonly heardMs?: number;
  /** As the option of rate control. */
  readonly sendsPerMs?: number;
  /** Calls in flight at most. Default 32. */
  readonly atOnce?: number;
}

export interface SimulationResult {
  readonly accepted: number;
  readonly refused: number;
  /** Of what the provider allowed in that time. */
  readonly share: number;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock whose timers fire up to a millisecond late, as real ones do. */
export function simulatedClock(random: () => number): Clock & { run(until: number): Promise<void> } {
  let now = 1_000_000_000_000;
  let order = 0;
  const timers = new Set<Timer>();
  const next = (): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    }
    return first;
  };
  return {
    now: () => now,
    schedule(ms, callback) {
      const timer = { at: now + Math.max(0, ms) + (ms > 0 ? random() : 0), order: order++, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async run(until) {
      for (;;) {
        for (let turn = 0; turn < 30; turn++) await null;
        const timer = next();
        if (timer === undefined || timer.at > until) break;
        timers.delete(timer);
        now = Math.max(now, timer.at);
        timer.callback();
      }
      now = until;
    },
  };
}

/** Mulberry32: the same numbers every run. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const MODEL: Model = {
  id: 'test/simulated',
  provider: 'test',
  price: undefined,
  contextTokens: undefined,
  maxOutputTokens: undefined,
  remote: true,
  attempt: () => Promise.reject(new Error('simulated')),
};

/** Callers that always want more than is allowed, for so many seconds, at most 32 calls in flight. */
export async function simulate(provider: SimulatedProvider, seconds: number, seed = 1): Promise<SimulationResult> {
  const random = seeded(seed);
  const clock = simulatedClock(random);
  const { heardMs = 1, atOnce = 32, sendsPerMs } = provider;
  const control = createRateControl({ clock, random, ...defined({ sendsPerMs }) });
  const lane = control.openTree({ maxConcurrentCalls: atOnce }).lane();
  const { signal } = new AbortController();
  const begin = clock.now();
  const bucket = { level: provider.burst, at: begin };
  const counts = { accepted: 0, refused: 0 };
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.schedule(ms, resolve));

  const caller = async (): Promise<never> => {
    for (;;) {
      const slot = await lane.enter(MODEL, { signal, deadline: Number.POSITIVE_INFINITY, tokens: 100 });
      await sleep(1);
      const ok = take(bucket, provider, clock.now());
      counts[ok ? 'accepted' : 'refused'] += 1;
      const headers = provider.headers === true ? rateHeaders(bucket, provider) : {};
      await sleep(heardMs);
      slot.observe(headers, ok ? 200 : 429);
      if (ok) {
        await sleep(provider.latencyMs * (0.7 + random() * 0.6));
        slot.leave(undefined);
      } else {
        const retryAfterMs = waitOf(bucket, provider);
        slot.leave(new ModelError({ fault: 'rate-limit', message: 'refused', ...defined({ retryAfterMs }) }));
        await sleep(retryAfterMs ?? 250);
      }
    }
  };
  for (let index = 0; index < 3 * atOnce; index++) void caller();
  await clock.run(begin + seconds * 1_000);
  return { ...counts, share: counts.accepted / (provider.burst + provider.perSecond * seconds) };
}

interface Bucket {
  level: number;
  at: number;
}

function take(bucket: Bucket, { burst, perSecond }: SimulatedProvider, now: number): boolean {
  bucket.level = Math.min(burst, bucket.level + ((now - bucket.at) / 1_000) * perSecond);
  bucket.at = now;
  if (bucket.level < 1) return false;
  bucket.level -= 1;
  return true;
}

function waitOf({ level }: Bucket, { perSecond, retryAfter }: SimulatedProvider): number | undefined {
  const ms = ((1 - level) / perSecond) * 1_000;
  return retryAfter === 'seconds'
    ? Math.ceil(ms / 1_000) * 1_000
    : retryAfter === 'milliseconds'
      ? Math.ceil(ms)
      : undefined;
}

function rateHeaders({ level }: Bucket, { burst, perSecond }: SimulatedProvider): Record<string, string> {
  return {
    'x-ratelimit-limit-requests': String(burst),
    'x-ratelimit-remaining-requests': String(Math.floor(level)),
    'x-ratelimit-reset-requests': `${Math.ceil(((burst - level) / perSecond) * 1_000)}ms`,
  };
}
