import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeText, encodeUnits, findShape } from './text-units.ts';
import { shapeOfUtf8 } from './utf8-shape.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 60 });
const mixed = fc
  .array(fc.constantFrom('a', 'é', 'ÿ', 'Ā', '漢', '\uffff', '😀', '\u0000', 'plain text '), { maxLength: 40 })
  .map((parts) => parts.join(''));

function shapeOf(text: string) {
  const points = [...text].map((character) => character.codePointAt(0) ?? 0);
  const most = points.reduce((a, b) => Math.max(a, b), 0);
  const maxChar = most < 0x80 ? 127 : most < 0x100 ? 255 : most < 0x10000 ? 0xffff : 0x10ffff;
  return { length: points.length, maxChar, unit: most < 0x100 ? 1 : most < 0x10000 ? 2 : 4 };
}

test('the shape of a text is found in pieces', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          mixed,
          anyText.filter((text) => text.isWellFormed()),
        ),
        { maxLength: 5 },
      ),
      (pieces) => {
        const finder = findShape();
        for (const piece of pieces) finder.add(piece);
        expect(finder.shape).toEqual(shapeOf(pieces.join('')));
      },
    ),
  );
});

test('the shape of UTF-8 is found without decoding it, at any place in memory', () => {
  fc.assert(
    fc.property(mixed, fc.nat(7), (text, offset) => {
      const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]).subarray(offset);
      const { length, maxChar } = shapeOf(text);
      expect(shapeOfUtf8(bytes)).toEqual({ length, maxChar });
    }),
  );
});

test('units are what CPython keeps', () => {
  fc.assert(
    fc.property(mixed, (text) => {
      const { unit, length } = shapeOf(text);
      const bytes = encodeUnits(text, unit as 1 | 2 | 4);
      expect(bytes.length).toBe(unit * length);
      const points = Array.from({ length }, (_, index) => bytes.readUIntLE(index * unit, unit));
      expect(String.fromCodePoint(...points)).toBe(text);
    }),
  );
});

test('decoding does not depend on where the pieces are cut', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 });
  const encodings = fc.constantFrom('utf-8' as const, 'utf-16le' as const, 'utf-16be' as const, 'latin-1' as const);
  fc.assert(
    fc.property(pieces, encodings, (parts, encoding) => {
      const whole = Buffer.concat(parts);
      const once = decodeText(encoding);
      const often = decodeText(encoding);
      const text = parts.map((part) => often.push(Buffer.from(part))).join('') + often.end();
      expect(text).toBe(once.push(whole) + once.end());
    }),
  );
});

test('bytes that are no UTF-8 are kept as Python keeps them with surrogateescape', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const decoding = decodeText('utf-8');
      const text = decoding.push(Buffer.from(bytes)) + decoding.end();
      const back = [...text].flatMap((character) => {
        const point = character.codePointAt(0) ?? 0;
        return point >= 0xdc80 && point <= 0xdcff ? [point - 0xdc00] : [...Buffer.from(character)];
      });
      expect(back).toEqual([...bytes]);
    }),
  );
});
