import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundError, cutMiddle } from './error-text.ts';

const MARK = 60;

describe('an error within a number of characters', () => {
  test('stays as it is where it fits', () => {
    const error = { type: 'E', message: 'm', traceback: 'T\nE: m\n' };
    expect(boundError(error, 1_000)).toEqual(error);
  });

  test('is not cut twice: what fits the bound once fits it again', () => {
    fc.assert(
      fc.property(fc.nat(30_000), fc.nat(30_000), fc.integer({ min: 400, max: 20_000 }), (frames, chars, room) => {
        const message = 'm'.repeat(chars);
        const once = boundError({ type: 'E', message, traceback: `${'f'.repeat(frames)}\nE: ${message}\n` }, room);
        expect(once.message.length).toBeLessThanOrEqual(room / 2 + MARK);
        expect(once.traceback.length).toBeLessThanOrEqual(room + MARK);
        expect(boundError(once, room)).toEqual(once);
      }),
    );
  });

  test.each([
    ['without a limit', Number.POSITIVE_INFINITY, 64 * 1024],
    ['with a limit too small to show an error', 1, 400],
  ])('has bounds of its own %s', (_name, outputChars, room) => {
    const text = 'x'.repeat(1_000_000);
    const { traceback } = boundError({ type: 'E', message: text, traceback: text }, outputChars);
    expect(traceback.length).toBeGreaterThan(room / 2);
    expect(traceback.length).toBeLessThanOrEqual(room + MARK);
  });

  test('counts characters and cuts none in two', () => {
    const cut = cutMiddle('😀'.repeat(1_000), 101);
    expect(cut.isWellFormed()).toBe(true);
    const [, count] = /\[(\d+) characters/.exec(cut) ?? [];
    expect(Number(count) + [...cut.replace(/\n… .* …\n/u, '')].length).toBe(1_000);
  });
});
