/**
 * Words in a file that both ends see: the host writes, the worker looks. A pipe could not be looked at without waiting.
 *
 * @module
 */
import { readSync } from 'node:fs';
import { CONTROL_WORDS, type ControlWord, FD } from './protocol.ts';

/** How to look at a word. A look costs a system call. */
export function controlWord(name: ControlWord): () => number {
  const word = new Uint32Array(1);
  const bytes = new Uint8Array(word.buffer);
  const position = CONTROL_WORDS.indexOf(name) * bytes.length;
  return () => {
    readSync(FD.control, bytes, 0, bytes.length, position);
    return word[0] ?? 0;
  };
}
