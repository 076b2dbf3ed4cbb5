import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { gathered, piecesOf, writePieces } from './pieces.ts';

/** A reader that takes one piece at a time. */
class SlowStream extends EventEmitter {
  readonly taken: string[] = [];
  write(text: string): boolean {
    this.taken.push(text);
    return false;
  }
}

test('pieces are the text, and cut neither a character nor the end of a line', () => {
  for (const cut of ['😀', '\r\n']) {
    const text = `${'x'.repeat(65_535)}${cut}y`;
    const pieces = [...piecesOf(text)];
    expect(pieces.join('')).toBe(text);
    expect(pieces.length).toBe(2);
    expect(pieces[0]?.endsWith(cut)).toBe(true);
  }
  expect([...piecesOf('')]).toEqual([]);
});

test('small pieces are gathered, and nothing is lost', () => {
  const rows = Array.from({ length: 20_000 }, (_, row) => `row ${row}\n`);
  const pieces = [...gathered(rows)];
  expect(pieces.join('')).toBe(rows.join(''));
  expect(pieces.length).toBeLessThan(5);
  expect([...gathered([])]).toEqual([]);
});

test('the next piece is written when the reader has room', async () => {
  const stream = new SlowStream();
  const written = writePieces(stream, ['a', 'b']);
  expect(stream.taken).toEqual(['a']);
  stream.emit('drain');
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  expect(stream.taken).toEqual(['a', 'b']);
  stream.emit('drain');
  await written;
  expect(stream.eventNames()).toEqual([]);
});

test.each(['error', 'close'])('a reader that goes away (%s) ends the writing', async (event) => {
  const stream = new SlowStream();
  const written = writePieces(stream, ['a', 'b']);
  stream.emit(event);
  await written;
  expect(stream.taken).toEqual(['a']);
});
