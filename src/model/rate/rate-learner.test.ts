import fc from 'fast-check';
import { expect, test } from 'vitest';
import { refillRate } from './rate-learner.ts';

/** A token bucket fed at the given moments: what it accepts until it has refused `refusals` times. */
function observe(rate: number, size: number, gaps: readonly number[]): { accepted: number[]; refused: number[] } {
  let level = size;
  let at = 0;
  let last = 0;
  const accepted: number[] = [];
  const refused: number[] = [];
  for (const gap of gaps) {
    at += gap;
    level = Math.min(size, level + (rate / 1000) * (at - last));
    last = at;
    if (level >= 1) {
      level -= 1;
      accepted.push(at);
    } else refused.push(at);
  }
  return { accepted, refused };
}

test('finds the rate of any bucket from two refusals far enough apart, pauses and spill-over included', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 5, max: 200 }),
      fc.integer({ min: 3, max: 200 }),
      fc.integer({ min: 100, max: 3_000 }),
      (rate, size, pauseMs) => {
        const gap = 1000 / (rate * 1.3);
        // A burst, a pause, then somewhat too fast for long.
        const gaps = [...Array(size * 2).fill(1), pauseMs, ...Array(rate * 20).fill(gap)];
        const { accepted, refused } = observe(rate, size, gaps);
        const emptyAt = refused.filter((at) => at <= size * 2).at(-1);
        const refusedAt = refused.at(-1);
        fc.pre(emptyAt !== undefined && refusedAt !== undefined && refusedAt > emptyAt + 5_000);
        const found = refillRate({
          emptyAt: emptyAt ?? 0,
          refusedAt: refusedAt ?? 0,
          accepted: accepted.filter((at) => at > (emptyAt ?? 0) && at < (refusedAt ?? 0)),
          first: accepted.filter((at) => at <= (emptyAt ?? 0)),
        });
        expect(found / rate).toBeGreaterThan(0.95);
        expect(found / rate).toBeLessThan(1.05);
      },
    ),
    { numRuns: 50 },
  );
});
