import { hash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { characterBoundary } from '../code-points.ts';
import { RlmError } from '../errors.ts';
import { PAGE_CHARS } from './limits.ts';

/** Keeps texts that left a conversation, by handle. The same text has the same handle. */
export interface PartStore {
  /** Stores a text and returns its handle, e.g. `part_1f0c…`. */
  put(text: string): Promise<string>;
  /** The text; undefined for an unknown handle. */
  get(handle: string): Promise<string | undefined>;
}

/** A page of a stored text. */
export interface PartPage {
  readonly text: string;
  /** Characters before this page. */
  readonly offset: number;
  /** Of the whole text. */
  readonly totalChars: number;
  /** Where the next page begins; absent at the end. */
  readonly nextOffset?: number;
}

const HANDLE = /^part_[0-9a-f]{24}$/;

/** The handle of a text. */
export function handleOf(text: string): string {
  return `part_${hash('sha256', text, 'hex').slice(0, 24)}`;
}

/** Parts in this process's memory. */
export function memoryParts(): PartStore {
  const texts = new Map<string, string>();
  return {
    put(text) {
      const handle = handleOf(text);
      texts.set(handle, text);
      return Promise.resolve(handle);
    },
    get: (handle) => Promise.resolve(texts.get(handle)),
  };
}

/** Parts as files of a folder that only this user may read. They outlive the process. */
export function fileParts(folder: string): PartStore {
  const pathOf = (handle: string): string => join(folder, `${handle}.txt`);
  return {
    async put(text) {
      const handle = handleOf(text);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const temporary = `${pathOf(handle)}.${randomUUID()}`;
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, pathOf(handle));
      return handle;
    },
    async get(handle) {
      if (!HANDLE.test(handle)) return undefined;
      try {
        return await readFile(pathOf(handle), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}

/**
 * A page of a stored text, for a tool of the agent.
 *
 * @throws RlmError `invalid-option` for an unknown handle or an offset that is not a number
 */
export async function readPart(
  parts: PartStore,
  {
    handle,
    offset = 0,
    maxChars = PAGE_CHARS,
  }: { readonly handle: string; readonly offset?: number; readonly maxChars?: number },
): Promise<PartPage> {
  const text = await parts.get(handle);
  if (text === undefined) throw invalid(`There is no stored output with the handle "${handle.slice(0, 80)}".`, handle);
  if (!Number.isInteger(offset) || offset < 0)
    throw invalid(`The offset ${String(offset)} is not a whole number from 0.`, handle);
  const start = characterBoundary(text, Math.min(offset, text.length));
  const end = characterBoundary(text, Math.min(text.length, start + Math.max(2, maxChars)));
  const page = { text: text.slice(start, end), offset: start, totalChars: text.length };
  return end < text.length ? { ...page, nextOffset: end } : page;
}

function invalid(message: string, handle: string): RlmError {
  return new RlmError({ code: 'invalid-option', message, data: { handle } });
}
