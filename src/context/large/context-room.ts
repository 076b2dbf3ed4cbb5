import { DEFAULT_LIMITS, type Limits } from '../../limits.ts';
import type { FileFacts } from '../scan-file.ts';
import { loadedContextBytes, MOST_TEXT_BYTES, TEXT_SHARE } from './limits.ts';

/** The memory that contexts may take as values of a REPL. A value that does not fit stays on the host, and is read on demand. */
export class ContextRoom {
  readonly #bytes: number;
  #left: number;

  constructor(bytes: number = loadedContextBytes(DEFAULT_LIMITS)) {
    [this.#bytes, this.#left] = [bytes, bytes];
  }

  /** The room of a REPL with these limits. */
  static of(limits: Pick<Limits, 'memoryBytes'>): ContextRoom {
    return new ContextRoom(loadedContextBytes(limits));
  }

  /** Takes room for a value. False where there is too little: then nothing is taken. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Bytes of a file from which on its text is read piece by piece, where it is not bound. */
  get wholeTextBytes(): number {
    return Math.min(MOST_TEXT_BYTES, this.#bytes * TEXT_SHARE);
  }
}

/** Bytes that a text usually takes in Python: one for each character of ASCII alone, else two. */
export function textMemory({ characters, bytes, skip }: Extract<FileFacts, { is: 'text' }>): number {
  return characters === bytes - skip ? characters : 2 * characters;
}

/** How the context of a file is made, besides the file itself. */
export interface FileUse {
  readonly room: ContextRoom;
  /** Its name, where that is not the end of its path. */
  readonly name?: string;
}
