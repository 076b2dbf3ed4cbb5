import type { CapturedText } from '../port.ts';

/** The output of one command: the first half of the limit as it comes, and the last half of the rest. */
export interface OutputCapture {
  /** Takes bytes in. `droppedBefore` characters were left out by the guest before them. */
  push(stream: 'stdout' | 'stderr', bytes: Buffer, droppedBefore?: number): void;
  /** The text that was kept, with the exact number of characters that were dropped. */
  finish(): { readonly stdout: CapturedText; readonly stderr: CapturedText };
}

/** Bytes from which a piece is kept as an object of its own. */
const LARGE_PIECE = 16 * 1024;
const FIRST_BLOCK = 1024;
const LARGEST_BLOCK = 64 * 1024;

/** Where small pieces lie side by side: a guest may send millions of a byte each, and an object takes a hundred. */
interface Block {
  bytes: Buffer;
  used: number;
}

interface Stream {
  readonly block: Block;
  readonly head: Buffer[];
  tail: Buffer[];
  tailBytes: number;
  /** Pieces at the front of `tail` that are gone already: shifting an array of many pieces would be quadratic. */
  gone: number;
  dropped: number;
  /** Bytes are missing between head and tail; `dropped` may still be 0 when they are the rest of one character. */
  cut: boolean;
}

/** Captures at most `limit` bytes; the head is shared by both streams in the order in which they were written. */
export function captureOutput(limit: number): OutputCapture {
  const half = Math.floor(limit / 2);
  let headLeft = half;
  const streams = { stdout: newStream(), stderr: newStream() };

  return {
    push(name, bytes, droppedBefore = 0) {
      const stream = streams[name];
      if (droppedBefore > 0) {
        dropTail(stream, 0);
        stream.dropped += droppedBefore;
        stream.cut = true;
        keep(stream, bytes, half);
        return;
      }
      // Once a stream has a gap or a tail, its text continues there.
      const open = stream.tailBytes === 0 && !stream.cut ? headLeft : 0;
      const taken = Math.min(open, bytes.length);
      if (taken > 0) {
        append(stream.block, stream.head, bytes.subarray(0, taken));
        headLeft -= taken;
      }
      if (taken < bytes.length) keep(stream, bytes.subarray(taken), half);
    },
    finish() {
      const { stdout, stderr } = streams;
      const room = half + headLeft;
      if (stdout.tailBytes + stderr.tailBytes > room) {
        const first = Math.max(room - stderr.tailBytes, Math.floor(room / 2));
        const second = Math.max(room - stdout.tailBytes, Math.floor(room / 2));
        dropTail(stdout, first);
        dropTail(stderr, second);
      }
      return { stdout: textOf(stdout), stderr: textOf(stderr) };
    },
  };
}

function newStream(): Stream {
  return {
    block: { bytes: Buffer.alloc(0), used: 0 },
    head: [],
    tail: [],
    tailBytes: 0,
    gone: 0,
    dropped: 0,
    cut: false,
  };
}

function keep(stream: Stream, bytes: Buffer, limit: number): void {
  if (bytes.length === 0) return;
  append(stream.block, stream.tail, bytes);
  stream.tailBytes += bytes.length;
  if (stream.tailBytes > limit + 65_536 || bytes.length > limit) dropTail(stream, limit);
}

/** Adds a copy of the bytes, so that they do not keep a large receive buffer alive, to the last piece where it can grow. */
function append(block: Block, pieces: Buffer[], bytes: Buffer): void {
  if (bytes.length >= LARGE_PIECE) {
    pieces.push(Buffer.from(bytes));
    return;
  }
  if (block.used + bytes.length > block.bytes.length) {
    const size = Math.min(LARGEST_BLOCK, Math.max(FIRST_BLOCK, 2 * block.bytes.length, bytes.length));
    block.bytes = Buffer.allocUnsafeSlow(size);
    block.used = 0;
  }
  const start = block.used;
  bytes.copy(block.bytes, start);
  block.used += bytes.length;
  const last = pieces.at(-1);
  const grows = last !== undefined && last.buffer === block.bytes.buffer && last.byteOffset + last.length === start;
  if (grows) pieces[pieces.length - 1] = block.bytes.subarray(last.byteOffset, block.used);
  else pieces.push(block.bytes.subarray(start, block.used));
}

/** Drops the front of the tail until `limit` bytes are left. */
function dropTail(stream: Stream, limit: number): void {
  while (stream.tailBytes > limit) {
    const piece = stream.tail[stream.gone];
    if (piece === undefined) return;
    const surplus = stream.tailBytes - limit;
    stream.cut = true;
    if (piece.length <= surplus) {
      stream.gone += 1;
      stream.tailBytes -= piece.length;
      stream.dropped += countStarts(piece);
    } else {
      stream.tail[stream.gone] = piece.subarray(surplus);
      stream.tailBytes -= surplus;
      stream.dropped += countStarts(piece.subarray(0, surplus));
    }
  }
  if (stream.tailBytes === 0) {
    stream.tail = []; // also for what comes next, which must not be added to a piece that is gone
    stream.gone = 0;
  } else if (stream.gone > 1024 && stream.gone * 2 > stream.tail.length) {
    stream.tail = stream.tail.slice(stream.gone);
    stream.gone = 0;
  }
}

/** Characters in UTF-8: bytes that do not continue one. */
function countStarts(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) count += 1;
  return count;
}

function textOf(stream: Stream): CapturedText {
  const head = Buffer.concat(stream.head);
  const tail = Buffer.concat(stream.tail.slice(stream.gone));
  if (!stream.cut) return { text: Buffer.concat([head, tail]).toString('utf8'), dropped: 0 };
  // The cut may go through a character: its bytes at both edges are left out, and it counts as one.
  const headEnd = wholeCharacters(head);
  let tailStart = 0;
  while (tailStart < Math.min(4, tail.length) && ((tail[tailStart] ?? 0) & 0xc0) === 0x80) tailStart += 1;
  const before = head.toString('utf8', 0, headEnd);
  const after = tail.toString('utf8', tailStart);
  const split = headEnd < head.length ? 1 : 0;
  return { text: before + after, dropped: stream.dropped + split, gapAt: before.length };
}

/** Bytes up to the last character that is whole. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
