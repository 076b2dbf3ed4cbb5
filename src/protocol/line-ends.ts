import { countScanned } from './scan.ts';

/**
 * A function that reads line ends as LF, chunk by chunk: a CR ends its line at once, and an LF right after it, even in the
 * next chunk, belongs to it.
 */
export function createLineEnds(): (chunk: string) => string {
  let afterReturn = false;
  return (chunk) => {
    if (chunk === '') return '';
    const text = afterReturn && chunk[0] === '\n' ? chunk.slice(1) : chunk;
    afterReturn = chunk.endsWith('\r');
    countScanned(chunk.length);
    return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  };
}
