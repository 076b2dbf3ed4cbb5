import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countCharacters } from '../../code-points.ts';
import { createFrameDecoder, encodeExact, encodeFrame, type Frame } from './frame.ts';
import { MAX_GUEST_FRAME } from './limits.ts';

function decodeAll(chunks: readonly Buffer[], maxFrame?: number): Frame[] {
  const decoder = createFrameDecoder(maxFrame === undefined ? {} : { maxFrame });
  const frames: Frame[] = [];
  for (const chunk of chunks) decoder.push(chunk, (frame) => frames.push(frame));
  return frames;
}

const anyFrame = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  id: fc.integer({ min: 0, max: 0xffff_ffff }),
  header: fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 2 })),
  parts: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
});

describe('frames', () => {
  test('come back as they were, for every way of cutting the stream', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 6 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 200 })),
        (frames, cuts) => {
          const stream = Buffer.concat(
            frames.map(({ type, id, header, parts }) =>
              encodeFrame(
                type,
                id,
                JSON.stringify(header),
                parts.map((part) => Buffer.from(part)),
              ),
            ),
          );
          const chunks: Buffer[] = [];
          for (let at = 0; at < stream.length; ) {
            const size = cuts.next().value ?? 1;
            chunks.push(stream.subarray(at, at + size));
            at += size;
          }
          const decoded = decodeAll(chunks);
          expect(decoded.map(({ type, id, header }) => ({ type, id, header: JSON.stringify(header) }))).toEqual(
            frames.map(({ type, id, header }) => ({
              type,
              id,
              header: JSON.stringify(JSON.parse(JSON.stringify(header))),
            })),
          );
          expect(decoded.map(({ body }) => body.toString('hex'))).toEqual(
            frames.map(({ parts }) => Buffer.concat(parts).toString('hex')),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test('of any bytes are decoded or refused, never more', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
        try {
          decodeAll(chunks.map((chunk) => Buffer.from(chunk)));
        } catch (error) {
          expect(error).toMatchObject({ code: 'channel-violation' });
        }
      }),
    );
  });

  test.each([
    ['too short', Buffer.from([3, 0, 0, 0, 1, 1, 1])],
    ['too long', Buffer.from([0, 0, 0, 0x7f])],
    [
      'with a header beyond its end',
      Buffer.concat([Buffer.from([11, 0, 0, 0, 1, 0, 0, 0, 0, 9, 0, 0, 0]), Buffer.from('{}')]),
    ],
    [
      'with a header that is not JSON',
      Buffer.concat([Buffer.from([11, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0]), Buffer.from('}{')]),
    ],
  ])('%s are violations', (_what, bytes) => {
    expect(() => decodeAll([bytes])).toThrow(/channel/);
  });

  test('are refused by their length alone, before anything is buffered', () => {
    const decoder = createFrameDecoder();
    const length = Buffer.alloc(4);
    length.writeUInt32LE(MAX_GUEST_FRAME + 1);
    expect(() => decoder.push(length, () => {})).toThrow();
    expect(decoder.pending).toBe(0);
  });

  test('that come byte by byte take linear time', () => {
    const frame = encodeFrame(3, 1, '{}', [Buffer.alloc(2_000_000)]);
    const decoder = createFrameDecoder();
    let count = 0;
    const started = performance.now();
    for (let at = 0; at < frame.length; at += 100) decoder.push(frame.subarray(at, at + 100), () => (count += 1));
    expect(count).toBe(1);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('a frame under way', () => {
  test('takes no more memory than its bytes, however small its pieces are', () => {
    const frame = encodeFrame(3, 1, '{}', [Buffer.alloc(3_000_000, 'x')]);
    const decoder = createFrameDecoder();
    const got: Frame[] = [];
    const before = process.memoryUsage().heapUsed;
    for (let at = 0; at < frame.length - 1; at += 1) decoder.push(frame.subarray(at, at + 1), (one) => got.push(one));
    // An object for each piece would be a third of a gigabyte.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(150_000_000);
    expect(decoder.pending).toBe(frame.length - 1);
    decoder.push(frame.subarray(frame.length - 1), (one) => got.push(one));
    expect(got.map(({ body }) => body.equals(Buffer.alloc(3_000_000, 'x')))).toEqual([true]);
  });
});

describe('texts', () => {
  test('keep lone surrogates as three bytes each', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), (units) => {
        const text = String.fromCharCode(...units);
        expect(decodeSurrogatePass(encodeExact(text))).toBe(text);
      }),
    );
    expect(encodeExact('a\ud800b').toString('hex')).toBe('61eda08062');
  });

  test('are counted in code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(countCharacters(text)).toBe([...text].length);
      }),
    );
    expect(countCharacters('\ud83d😀\ude00')).toBe(3);
  });
});

/** UTF-8 with surrogates, decoded the slow way. */
function decodeSurrogatePass(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0;
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    let point = length === 1 ? byte : byte & (0xff >> (length + 1));
    for (let next = 1; next < length; next += 1) point = (point << 6) | ((bytes[at + next] ?? 0) & 0x3f);
    text += String.fromCodePoint(point);
    at += length;
  }
  return text;
}
