import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { captureOutput } from './output-capture.ts';

const pieces = fc.array(
  fc.record({
    stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    text: fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.constant('x'.repeat(200)),
      fc.constant('é😀'.repeat(20)),
    ),
  }),
  { maxLength: 40 },
);

describe('captured output', () => {
  test('is whole while it fits', () => {
    const capture = captureOutput(100);
    capture.push('stdout', Buffer.from('a'));
    capture.push('stderr', Buffer.from('b'));
    capture.push('stdout', Buffer.from('c'));
    expect(capture.finish()).toEqual({ stdout: { text: 'ac', dropped: 0 }, stderr: { text: 'b', dropped: 0 } });
  });

  test('never exceeds its limit, and what is kept and dropped add up to what came', () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 8, max: 600 }), (items, limit) => {
        const capture = captureOutput(limit);
        const whole = { stdout: '', stderr: '' };
        for (const { stream, text } of items) {
          capture.push(stream, Buffer.from(text));
          whole[stream] += text.toWellFormed();
        }
        const got = capture.finish();
        let bytes = 0;
        for (const stream of ['stdout', 'stderr'] as const) {
          const { text, dropped, gapAt } = got[stream];
          bytes += Buffer.byteLength(text);
          expect([...text].length + dropped).toBe([...whole[stream]].length);
          const at = gapAt ?? text.length;
          expect(whole[stream].startsWith(text.slice(0, at))).toBe(true);
          expect(whole[stream].endsWith(text.slice(at))).toBe(true);
        }
        expect(bytes).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 500 },
    );
  });

  test('counts a character whose bytes lie on both sides of the gap', () => {
    const capture = captureOutput(12);
    capture.push('stdout', Buffer.from('\u{10000}\u0800\u0800\u0800'));
    expect(capture.finish().stdout).toEqual({ text: '\u{10000}\u0800\u0800', dropped: 1, gapAt: 2 });
  });

  test('keeps the first and the last half of one stream', () => {
    const capture = captureOutput(10);
    for (let index = 0; index < 1000; index += 1) capture.push('stdout', Buffer.from(String(index % 10)));
    expect(capture.finish().stdout).toEqual({ text: '0123456789', dropped: 990, gapAt: 5 });
  });

  test('counts what the guest dropped', () => {
    const capture = captureOutput(100);
    capture.push('stdout', Buffer.from('head'));
    capture.push('stdout', Buffer.from('tail'), 50);
    expect(capture.finish().stdout).toEqual({ text: 'headtail', dropped: 50, gapAt: 4 });
  });

  test('of a million tiny pieces takes little time', () => {
    const capture = captureOutput(1024 * 1024);
    const piece = Buffer.from('ab');
    const started = performance.now();
    for (let index = 0; index < 1_000_000; index += 1) capture.push('stdout', piece);
    expect(capture.finish().stdout.dropped).toBe(2_000_000 - 1024 * 1024);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test('of pieces of a byte, and of none, takes no more memory than its bytes', () => {
    const capture = captureOutput(4 * 1024 * 1024);
    const before = process.memoryUsage().heapUsed;
    const received = Buffer.alloc(65_536, 'x');
    for (let index = 0; index < 3_000_000; index += 1) {
      const at = index % received.length;
      capture.push('stdout', received.subarray(at, at + 1));
      capture.push('stderr', received.subarray(at, at), 1);
    }
    // An object for each would be half a gigabyte.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(150_000_000);
    const { stdout, stderr } = capture.finish();
    expect([stdout.text.length + stdout.dropped, stderr.text, stderr.dropped]).toEqual([3_000_000, '', 3_000_000]);
  });

  test('keeps what comes after a gap that the guest left', () => {
    const capture = captureOutput(8);
    for (const text of ['abcd', 'ef', 'gh']) capture.push('stdout', Buffer.from(text));
    capture.push('stdout', Buffer.from('ij'), 3);
    capture.push('stdout', Buffer.from('kl'));
    expect(capture.finish().stdout).toEqual({ text: 'abcdijkl', dropped: 7, gapAt: 4 });
  });

  test('keeps large pieces among small ones in their order', () => {
    const capture = captureOutput(1024 * 1024);
    const texts = ['a', 'b'.repeat(40_000), 'c', 'd'.repeat(3), 'e'.repeat(70_000), 'f'];
    for (const text of texts) capture.push('stdout', Buffer.from(text));
    expect(capture.finish().stdout.text).toBe(texts.join(''));
  });
});
