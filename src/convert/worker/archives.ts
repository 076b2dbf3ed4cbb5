/**
 * Archives: their members as files. Names only name documents; nothing is written under one.
 *
 * @module
 */
import { Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { createTarDecoder } from 'modern-tar';
import { type Input, Refusal } from './input.ts';
import type { Output } from './output.ts';
import { entryName, entryPieces, openZip } from './zip.ts';

/** The members of a zip archive, in its order. */
export async function convertZip(input: Input, output: Output): Promise<void> {
  const names = new MemberNames(output);
  const zip = await openZip(input);
  for (const entry of zip.entries) {
    const name = entryName(entry);
    if (name.endsWith('/')) continue;
    if (entry.isEncrypted()) {
      names.leaveOut(name, 'encrypted');
      continue;
    }
    const member = output.member({ path: names.take(name) });
    for await (const piece of entryPieces(zip.file, entry)) member.write(piece);
    member.end();
  }
  names.report();
}

/** The files of a tar archive. */
export async function convertTar(input: Input, output: Output): Promise<void> {
  await untar(input.pieces(), output);
}

/** The file in a gzip file, or the files of the tar archive in it. */
export async function convertGzip(input: Input, output: Output): Promise<void> {
  await unpack(input, createGunzip(), output);
}

/** The same for zstd. */
export async function convertZstd(input: Input, output: Output): Promise<void> {
  await unpack(input, createZstdDecompress(), output);
}

/** Bytes from which the ratio counts, and the ratio: logs reach 100, and only runs of equal bytes more than this. */
const RATIO_BYTES = 64 * 1024 * 1024;
const MOST_RATIO = 200;
/** A tar archive has its mark here. */
const TAR_MARK_AT = 257;
const TAR_MARK = 'ustar';

async function unpack(input: Input, decoder: Transform, output: Output): Promise<void> {
  const unpacked = guarded(input, Readable.from(input.pieces()).pipe(decoder) as AsyncIterable<Buffer>);
  const first = (await unpacked.next()) as IteratorResult<Buffer, undefined>;
  const head = first.value ?? Buffer.alloc(0);
  const all = (async function* (): AsyncGenerator<Buffer> {
    yield head;
    yield* unpacked;
  })();
  if (head.toString('latin1', TAR_MARK_AT, TAR_MARK_AT + TAR_MARK.length) === TAR_MARK) {
    await untar(all, output);
    return;
  }
  // Its name is that of the file around it, without the end.
  const member = output.member({ path: '' });
  for await (const piece of all) member.write(piece);
  member.end();
}

async function* guarded(input: Input, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > RATIO_BYTES && bytes > MOST_RATIO * input.bytes) {
      throw new Refusal(`it unpacks to more than ${MOST_RATIO} times its size, which looks like a decompression bomb`);
    }
    yield piece;
  }
}

async function untar(pieces: Iterable<Buffer> | AsyncIterable<Buffer>, output: Output): Promise<void> {
  const names = new MemberNames(output);
  const source = Readable.toWeb(Readable.from(pieces)) as ReadableStream<Uint8Array>;
  for await (const { header, body } of source.pipeThrough(createTarDecoder({ strict: true }))) {
    const { name, type = 'file' } = header;
    if (type !== 'file') {
      await body.cancel();
      if (type !== 'directory') names.leaveOut(name, type);
      continue;
    }
    const member = output.member({ path: names.take(name) });
    for await (const piece of body) member.write(piece);
    member.end();
  }
  names.report();
}

/** Names that are listed in a note. */
const NAMED = 5;

/** Paths of members: below the archive, each once. */
class MemberNames {
  readonly #output: Output;
  readonly #taken = new Set<string>();
  readonly #outside: string[] = [];
  readonly #left: string[] = [];

  constructor(output: Output) {
    this.#output = output;
  }

  take(name: string): string {
    const parts = name.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
    const inside = parts.join('/').replaceAll('\0', '\ufffd') || 'file';
    if (/^\/|(^|\/)\.\.(\/|$)/.test(name)) this.#outside.push(name);
    let path = inside;
    for (let number = 2; this.#taken.has(path); number += 1) path = inside.replace(/(?=(\.[^./]*)?$)/, `-${number}`);
    this.#taken.add(path);
    return path;
  }

  leaveOut(name: string, why: string): void {
    this.#left.push(`${name} (${why})`);
  }

  report(): void {
    if (this.#outside.length > 0)
      this.#output.note(`names that lead out of the archive are cut: ${listed(this.#outside)}`);
    if (this.#left.length > 0) this.#output.note(`left out of the archive: ${listed(this.#left)}`);
  }
}

function listed(names: readonly string[]): string {
  const rest = names.length - NAMED;
  return rest <= 0 ? names.join(', ') : `${names.slice(0, NAMED).join(', ')} and ${rest} more`;
}
