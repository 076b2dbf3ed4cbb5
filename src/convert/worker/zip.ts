/**
 * Zip archives by random access: the directory first, then each part as a stream whose size is checked.
 *
 * @module
 */
import { type Entry, fromFdPromise, type ZipFile } from 'yauzl';
import { type Input, Refusal } from './input.ts';

/** Entries of an archive that are listed. */
const MOST_ENTRIES = 100_000;
/** Bytes of one part after unpacking: larger ones are bombs far more often than documents. */
const PART_BYTES = 512 * 1024 * 1024;
/** A part that unpacks to more than this many times its size, and is large, is a bomb: text reaches 20, XML 60. */
const MOST_RATIO = 200;
/** Bytes from which the ratio counts: small parts may be all blanks. */
const RATIO_BYTES = 32 * 1024 * 1024;

/** An opened archive. */
export interface Zip {
  /** For {@link entryPieces}. */
  readonly file: ZipFile;
  readonly entries: readonly Entry[];
  has(name: string): boolean;
  /** A part in pieces; of a name that is not there, nothing. @throws Refusal for a bomb or an encrypted part */
  pieces(name: string): AsyncGenerator<Buffer>;
  text(name: string): Promise<string>;
}

export async function openZip(input: Input): Promise<Zip> {
  const zip = await fromFdPromise(input.fd, { autoClose: false, lazyEntries: true, decodeStrings: false });
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) {
    if (entries.length >= MOST_ENTRIES) throw new Refusal(`it has more than ${MOST_ENTRIES} members`);
    entries.push(entry);
  }
  const byName = new Map(entries.map((entry) => [entryName(entry), entry]));
  const pieces = async function* (name: string): AsyncGenerator<Buffer> {
    const entry = byName.get(name);
    if (entry !== undefined) yield* entryPieces(zip, entry);
  };
  return {
    file: zip,
    entries,
    has: (name) => byName.has(name),
    pieces,
    async text(name) {
      const decoder = new TextDecoder();
      let text = '';
      for await (const piece of pieces(name)) text += decoder.decode(piece, { stream: true });
      return text + decoder.decode();
    },
  };
}

/** The bit of an entry that says that its name is in UTF-8. */
const UTF8_NAMES = 0x800;

/** As it is written. Names without the mark of UTF-8 are usually UTF-8 all the same. */
export function entryName({ fileNameRaw, generalPurposeBitFlag }: Entry): string {
  const utf8 = fileNameRaw.toString('utf8');
  const name =
    (generalPurposeBitFlag & UTF8_NAMES) !== 0 || !utf8.includes('\ufffd') ? utf8 : fileNameRaw.toString('latin1');
  return name.replaceAll('\\', '/');
}

/** @throws Refusal for a bomb, and for an entry that is encrypted or packed in an unknown way */
export async function* entryPieces(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  const { uncompressedSize, compressedSize } = entry;
  const name = entryName(entry);
  if (entry.isEncrypted()) throw new Refusal(`${name} in it is encrypted: save it without a password first`);
  if (![0, 8].includes(entry.compressionMethod))
    throw new Refusal(`${name} in it is packed by method ${entry.compressionMethod}, which is not known here`);
  const swollen = uncompressedSize > RATIO_BYTES && uncompressedSize > MOST_RATIO * Math.max(1, compressedSize);
  if (uncompressedSize > PART_BYTES || swollen) {
    throw new Refusal(
      `${name} in it unpacks from ${compressedSize} to ${uncompressedSize} bytes, which looks like a decompression bomb`,
    );
  }
  // The stream fails where the size is not the one that the directory states.
  for await (const piece of await zip.openReadStreamPromise(entry)) yield piece as Buffer;
}
