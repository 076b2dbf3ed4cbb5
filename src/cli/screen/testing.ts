import type { EventBody, RunEvent } from '../../event/event.ts';
import type { TextStream } from './console.ts';

/** An event of the root run, or of a child when `runId` says so. */
export function eventOf(body: EventBody, runId = 'root'): RunEvent {
  return { v: 1, runId, traceId: 'root', seq: 1, time: '2025-01-01T00:00:00.000Z', ...body };
}

/** A stream that keeps what was written. */
export function streamTo(
  parts: string[],
  { isTTY = false, columns = 80 }: { readonly isTTY?: boolean; readonly columns?: number } = {},
): TextStream {
  return { isTTY, columns, write: (text) => parts.push(text) };
}

/** The text that a terminal of one line shows after these writes: carriage returns overwrite. */
export function lastLineShown(parts: readonly string[]): string {
  let line = '';
  for (const character of parts.join('').split('\n').at(-1)?.split('\r') ?? []) {
    line = character + line.slice(character.length);
  }
  return line.trimEnd();
}
