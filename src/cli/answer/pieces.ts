import type { TextStream } from '../screen/console.ts';

/** Code units of one write: large enough to be quick, small beside an answer of megabytes. */
const PIECE_CHARS = 65_536;

/** A text in pieces; neither a character of two code units nor the end of a line of two is cut. */
export function* piecesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + PIECE_CHARS, text.length);
    if (end < text.length && /[\uD800-\uDBFF\r]/.test(text.charAt(end - 1))) end += 1;
    yield text.slice(start, end);
    start = end;
  }
}

/** The same text in fewer pieces, where they are small: a table has one for each row. */
export function* gathered(pieces: Iterable<string>): Generator<string> {
  let waiting = '';
  for (const piece of pieces) {
    waiting += piece;
    if (waiting.length < PIECE_CHARS) continue;
    yield waiting;
    waiting = '';
  }
  if (waiting !== '') yield waiting;
}

/** Writes pieces as fast as the reader takes them; it ends early where the reader goes away. */
export async function writePieces(stream: TextStream, pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) {
    const room = stream.write(piece);
    if (room === false && !(await drained(stream))) return;
  }
}

/** Whether the stream can be written to again. */
async function drained(stream: TextStream): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const drain = (): void => resolve(true);
  const gone = (): void => resolve(false);
  const ends = [['drain', drain] as const, ...['error', 'close'].map((event) => [event, gone] as const)];
  for (const [event, listener] of ends) stream.on?.(event, listener);
  const open = stream.on === undefined || (await promise);
  for (const [event, listener] of ends) stream.off?.(event, listener);
  return open;
}
