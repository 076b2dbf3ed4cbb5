import type { TextStream } from './console.ts';
import { UNSAFE } from './terminal-text.ts';

/** Writes a value as one line of JSON. On a terminal nothing in it can act on the terminal, and it stays the same value. */
export function writeJson(stream: TextStream, value: unknown): void {
  stream.write(`${jsonFor(stream, value)}\n`);
}

/** A value as JSON. For a terminal also those unsafe characters are escaped that JSON lets stand. */
export function jsonFor({ isTTY }: Pick<TextStream, 'isTTY'>, value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent);
  return isTTY === true ? json.replace(UNSAFE, escaped) : json;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
