import { describe, expect, test } from 'vitest';
import { renderShown } from './shown.ts';

const none = { text: '', dropped: 0 };
const limits = { outputChars: 100 };
const error = { type: 'ValueError', message: 'x', traceback: 'Traceback (most recent call last):\nValueError: x\n' };

function cell(part: object): Parameters<typeof renderShown>[0] {
  return { stdout: none, stderr: none, value: null, error: null, ...part };
}

describe('what the model sees of a command', () => {
  test('is empty for a silent command', () => {
    expect(renderShown(cell({}), limits, 't1.0')).toBe('');
  });

  test('is stdout, stderr, the value and the error, in this order', () => {
    const outcome = cell({ stdout: { text: 'a\n', dropped: 0 }, stderr: { text: 'b', dropped: 0 }, value: '3', error });
    expect(renderShown(outcome, limits, 't1.0')).toBe(
      'a\nstderr:\nb\n3\nTraceback (most recent call last):\nValueError: x',
    );
  });

  test('is cut to head and tail with the exact count and the handle', () => {
    const text = `${'h'.repeat(200)}${'t'.repeat(200)}`;
    const shown = renderShown(cell({ stdout: { text, dropped: 0 } }), limits, 't3.0');
    expect(shown).toBe(
      `${'h'.repeat(50)}\n… [300 characters left out; to read on: print(history["t3.0"][50:150])] …\n${'t'.repeat(50)}`,
    );
  });

  test('counts characters, not code units, and never cuts one in two', () => {
    const shown = renderShown(cell({ stdout: { text: '😀'.repeat(200), dropped: 0 } }), { outputChars: 101 }, 't1.0');
    const [, count] = /\[(\d+) characters left out/.exec(shown) ?? [];
    const kept = [...shown.replace(/\n… .* …\n/u, '')].length;
    expect(Number(count) + kept).toBe(200);
    expect(shown.isWellFormed()).toBe(true);
  });

  test('adds what the capture dropped to the count and says that it is gone', () => {
    const text = `${'h'.repeat(100)}${'t'.repeat(100)}`;
    const shown = renderShown(cell({ stdout: { text, dropped: 1000, gapAt: 100 } }), limits, 't1.0');
    expect(shown).toContain(
      '[1100 characters left out; 1000 of them were not kept; to read on: print(history["t1.0"][50:150])]',
    );
    expect(shown.startsWith('h'.repeat(50))).toBe(true);
    expect(shown.endsWith('t'.repeat(50))).toBe(true);
  });

  test('shows the gap also where the rest would fit', () => {
    const shown = renderShown(cell({ stdout: { text: 'ab', dropped: 7, gapAt: 1 } }), limits, 't1.0');
    expect(shown).toBe('a\n… [7 characters left out; 7 of them were not kept] …\nb');
  });

  test('keeps a short error whole, whatever was printed', () => {
    const shown = renderShown(cell({ stdout: { text: 'x'.repeat(5000), dropped: 0 }, error }), limits, 't1.0');
    expect(shown.endsWith(error.traceback.trimEnd())).toBe(true);
  });

  test('cuts a long error like output: the end of the traceback and both ends of the message stay', () => {
    const message = `begin ${'e'.repeat(50_000)} end`;
    const frames = 'frame\n'.repeat(5000);
    const long = { type: 'ValueError', message, traceback: `${frames}ValueError: ${message}\n` };
    const room = { outputChars: 2_000 };
    const shown = renderShown(cell({ stdout: { text: 'x'.repeat(5000), dropped: 0 }, error: long }), room, 't1.0');
    expect(shown.length).toBeLessThan(2_000 + 300);
    expect(shown).toMatch(/frame\nValueError: begin e+\n… \[\d+ characters left out\] …\ne+ end$/);
  });

  test('gives a short stream whole and the rest to the long one', () => {
    const outcome = cell({ stdout: { text: 'x'.repeat(1000), dropped: 0 }, stderr: { text: 'short', dropped: 0 } });
    const shown = renderShown(outcome, limits, 't1.0');
    expect(shown).toContain('stderr:\nshort');
    expect(shown).toContain('[905 characters left out');
  });
});
