import { StringDecoder } from 'node:string_decoder';
import type { JsonValue } from '../port.ts';

/** An object as one of our own processes sends it, one per line. */
export type Message = { readonly [key: string]: JsonValue | undefined };

/** Characters of one line before its sender counts as broken. */
const LONGEST = 1024 * 1024;

/** Reads one JSON object per line. Other lines are skipped: the sender is ours, but other processes may write to its pipe. */
export function readLines(onMessage: (message: Message) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return (chunk) => {
    rest += decoder.write(chunk);
    for (;;) {
      const end = rest.indexOf('\n');
      if (end < 0) break;
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      const message = parse(line);
      if (message !== undefined) onMessage(message);
    }
    if (rest.length > LONGEST) rest = '';
  };
}

function parse(line: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}

/** A field that should be a text; '' when it is not one. */
export function textOf(message: Message, name: string): string {
  const value = message[name];
  return typeof value === 'string' ? value : '';
}

/** A field that should be a number; 0 when it is not one. */
export function numberOf(message: Message, name: string): number {
  const value = message[name];
  return typeof value === 'number' ? value : 0;
}
