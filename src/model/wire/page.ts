import type { Readable } from 'node:stream';
import type { Clock } from '../../clock.ts';
import type { AttemptWatch } from '../attempt-watch.ts';

/** Longest page that is read: an error body, or what came instead of an event stream. */
export const PAGE_BYTES: number = 256 * 1024;
/** Milliseconds for the body of a response whose status has already said that it failed. */
const PAGE_MS = 2_000;
/** `<`, `{`, `[`: what pages and JSON begin with, and no line of an event stream. */
const PAGE_STARTS: ReadonlySet<number> = new Set([0x3c, 0x7b, 0x5b]);
/** `data`, `event`, `id`, `retry` and comments: what the lines of an event stream begin with. */
const STREAM_LINE = /^[deir:]/;
const BLANK = /^[\s\uFEFF]*/;

/** Classifies a body by its first chunks; `unknown` while they are blank. */
export function looksLikePage(chunk: Buffer, type: string): 'unknown' | 'stream' | 'page' {
  const first = chunk.toString('utf8', 0, 256).replace(BLANK, '');
  if (first === '') return 'unknown';
  if (PAGE_STARTS.has(first.charCodeAt(0)) || /\bhtml\b/.test(type)) return 'page';
  // Servers that call their event stream JSON send one all the same.
  return /\bjson\b/.test(type) && !STREAM_LINE.test(first) ? 'page' : 'stream';
}

/**
 * The body of a response whose status says that it failed, as far as it comes: it may be huge, break off or hang, and
 * the status counts all the same.
 */
export function readPage(body: Readable, watch: AttemptWatch, clock: Clock): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const finish = (): void => {
      cancelTimer();
      watch.wire.cutOff = undefined;
      body.destroy();
      resolve(Buffer.concat(chunks).toString());
    };
    const cancelTimer = clock.schedule(PAGE_MS, finish);
    watch.wire.cutOff = finish;
    body.on('data', (chunk: Buffer) => {
      watch.touch();
      watch.wire.bytes += chunk.byteLength;
      chunks.push(chunk);
      if (watch.wire.bytes > PAGE_BYTES) finish();
    });
    body.once('end', finish);
    body.on('error', finish);
  });
}
