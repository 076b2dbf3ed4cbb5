import { describe, expect, test } from 'vitest';
import { bashFiles } from './bash-files.ts';
import type { EmscriptenFs, FsStream } from './emscripten.ts';

/** A file system that stores bytes as MEMFS does: by `slice`, which does not copy a Buffer. */
function memory() {
  const written: Uint8Array[] = [];
  const fs = {
    mkdirTree() {},
    open: () => ({}) as FsStream,
    write(_stream: FsStream, bytes: Uint8Array, offset: number, length: number) {
      written.push(bytes.slice(offset, offset + length));
      return length;
    },
    close() {},
  } as unknown as EmscriptenFs;
  return { files: bashFiles(fs), written };
}

describe('files that bash writes', () => {
  test.each([
    ['a short text', 'x'],
    ['bytes of a pool', Buffer.from('y')],
    ['a part of a larger buffer', Buffer.alloc(1024 * 1024).subarray(5, 9)],
    ['plain bytes', new Uint8Array([1, 2, 3])],
  ])('hold no more memory than their bytes: %s', async (_name, content) => {
    const { files, written } = memory();
    await files.writeFile('/tmp/f', content);
    await files.appendFile('/tmp/f', content);
    expect(written.map((bytes) => bytes.buffer.byteLength)).toEqual([content.length, content.length]);
  });
});
