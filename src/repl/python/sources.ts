import { stat } from 'node:fs/promises';
import { RlmError } from '../../errors.ts';
import { SHARED_ENCODINGS } from '../../text-encoding.ts';
import type { MemoryText } from '../channel/index.ts';
import type { ContextFile, FileValue } from '../port.ts';
import { type Message, textOf } from './lines.ts';
import { readAsUtf8, unreadable } from './read-as-utf8.ts';
import type { ZygoteProcess } from './zygote-process.ts';

/**
 * Bytes from which a text becomes an image: a memory file whose pages all REPLs share. Smaller ones are read by each
 * REPL for itself, which costs less than the loader's process.
 */
export const IMAGE_BYTES: number = 1024 * 1024;

/** A REPL that files are brought to. */
export interface SourceTarget {
  readonly id: number;
  /** Waits until the REPL has the source of that number. */
  arrival(source: number): Promise<void>;
}

/** The handle by which the guest finds a file, and the file's encoding there. */
export type BroughtSource = Pick<FileValue, 'encoding' | 'skip'> & { readonly source: number };

/**
 * Brings files into REPLs by descriptor: the launcher opens them, nothing passes through the host or the channel. Files in
 * encodings that Python decodes otherwise than the host are the exception: the host makes them UTF-8.
 */
export interface Sources {
  /**
   * Brings a file to a REPL; the guest finds it by the fields returned.
   *
   * @throws RlmError `context-not-found`, `context-invalid`
   */
  bring(value: FileValue | MemoryText, target: SourceTarget): Promise<BroughtSource>;
  /** Shows files to the cells of a REPL. @throws RlmError `context-not-found`, `context-invalid` */
  show(files: readonly ContextFile[], target: SourceTarget): Promise<void>;
  /** The REPL has ended: images that no other REPL uses are freed. */
  release(target: SourceTarget): void;
  /** Takes what the launcher says. */
  onMessage(message: Message): void;
}

interface Image {
  readonly ready: Promise<number | undefined>;
  readonly users: Set<number>;
}

interface Order {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Sources of one zygote. */
export function createSources(zygote: ZygoteProcess): Sources {
  /** By a file's identity, and by the text itself: Map compares by length first, and equal texts are mostly one object. */
  const ofFiles = new Map<string, Image>();
  const ofTexts = new Map<string, Image>();
  const orders = new Map<number, Order>();
  let last = 0;
  let imagesWork = true;

  function order(number: number, fields: Readonly<Record<string, unknown>>, data?: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      orders.set(number, { resolve, reject });
      zygote.order(fields, data);
    });
  }

  /** An order about what is in a file or a text; the text goes along, into a memory file. */
  async function orderContent(
    number: number,
    fields: Readonly<Record<string, unknown>>,
    value: FileValue | MemoryText,
  ): Promise<void> {
    const data = await inlineOf(value);
    if (data === undefined) {
      return order(number, {
        ...fields,
        path: value.path,
        expect: value.bytes,
        ...(value.identity !== undefined && { identity: value.identity }),
      });
    }
    return order(number, { ...fields, inline: data.length }, data);
  }

  function next(): number {
    last += 1;
    return last;
  }

  /** The number of the image; undefined where this Python's strings cannot be mapped. */
  async function makeImage(value: FileValue | MemoryText): Promise<number | undefined> {
    const image = next();
    try {
      await orderContent(image, { image, ...encodedAs(value) }, value);
      return image;
    } catch (error) {
      if (RlmError.isInstance(error)) throw error;
      imagesWork = false;
      return undefined;
    }
  }

  async function imageOf(value: FileValue | MemoryText, user: number): Promise<number | undefined> {
    const [images, key] = 'text' in value ? [ofTexts, value.text] : [ofFiles, await identify(value)];
    let image = images.get(key);
    if (image === undefined) {
      const ready = makeImage(value);
      image = { ready, users: new Set() };
      images.set(key, image);
      ready.then(
        (id) => id === undefined && images.delete(key),
        () => images.delete(key),
      );
    }
    image.users.add(user);
    return image.ready;
  }

  async function bringContent(value: FileValue | MemoryText, target: SourceTarget): Promise<BroughtSource> {
    const source = next();
    const arrived = target.arrival(source);
    await arrivalOf(source, arrived, orderContent(source, { give: 0, source, repl: target.id }, value));
    return { source, ...encodedAs(value) };
  }

  /** Only a refusal of an order is answered; success is the arrival. */
  async function arrivalOf(number: number, arrived: Promise<void>, refused: Promise<void>): Promise<void> {
    await Promise.race([arrived, refused]).finally(() => orders.delete(number));
  }

  async function showPack(files: readonly ContextFile[], target: SourceTarget): Promise<void> {
    const unpack = next();
    const arrived = target.arrival(unpack);
    const list = files.map(({ at, file }) => [at, file.path, file.bytes, file.identity ?? null]);
    await arrivalOf(unpack, arrived, order(unpack, { files: list, unpack, repl: target.id }));
  }

  return {
    async bring(value, target) {
      checkRoom(value);
      const wanted = imagesWork && value.as === 'text' && value.bytes >= IMAGE_BYTES && !('transient' in value);
      const image = wanted ? await imageOf(value, target.id) : undefined;
      if (image === undefined) return bringContent(value, target);
      const source = next();
      const arrived = target.arrival(source);
      zygote.order({ give: image, source, repl: target.id });
      await arrived;
      return { source, ...encodedAs(value) };
    },
    async show(files, target) {
      for (const pack of packed(files)) await showPack(pack, target);
    },
    release(target) {
      for (const images of [ofFiles, ofTexts]) {
        for (const [key, image] of images) {
          if (!image.users.delete(target.id) || image.users.size > 0) continue;
          images.delete(key);
          image.ready.then(
            (id) => id !== undefined && zygote.order({ drop: id }),
            () => {},
          );
        }
      }
    },
    onMessage(message) {
      const number = message.imaged ?? message.failed;
      const waiting = typeof number === 'number' ? orders.get(number) : undefined;
      if (waiting === undefined || typeof number !== 'number') return;
      orders.delete(number);
      const error = textOf(message, 'error');
      if (error === '') waiting.resolve();
      else if (message.failed === undefined) waiting.reject(new Error(error));
      else waiting.reject(unreadable(textOf(message, 'path'), error, message.code === 2));
    },
  };
}

/** Bytes and files of a pack: each is one memory file of the launcher's, which serves other REPLs between two packs. */
const PACK_BYTES = 16 * 1024 * 1024;
const PACK_FILES = 500;

/** The files in packs; a larger file is a pack of its own. */
function* packed(files: readonly ContextFile[]): Generator<readonly ContextFile[]> {
  let pack: ContextFile[] = [];
  let bytes = 0;
  for (const one of files) {
    if (pack.length === PACK_FILES || (pack.length > 0 && bytes + one.file.bytes > PACK_BYTES)) {
      yield pack;
      [pack, bytes] = [[], 0];
    }
    pack.push(one);
    bytes += one.file.bytes;
  }
  if (pack.length > 0) yield pack;
}

/** The bytes that go along with an order; undefined for a file that the launcher opens. */
async function inlineOf(value: FileValue | MemoryText): Promise<Buffer | undefined> {
  if ('text' in value) return Buffer.from(value.text, 'utf8');
  return SHARED_ENCODINGS.has(value.encoding) ? undefined : await readAsUtf8(value);
}

/** How the bytes that reach the REPL are encoded. */
function encodedAs({ encoding, skip }: FileValue): Pick<FileValue, 'encoding' | 'skip'> {
  return SHARED_ENCODINGS.has(encoding) ? { encoding, skip } : { encoding: 'utf-8', skip: 0 };
}

/**
 * Refuses what cannot fit before anything is read. Images need the bytes of the file for ASCII, and up to two bytes a
 * character otherwise; the file's own pages may be dropped meanwhile.
 */
function checkRoom(value: FileValue): void {
  const room = process.availableMemory();
  if (value.bytes <= room) return;
  throw new RlmError({
    code: 'context-invalid',
    message: `The context has ${value.bytes} bytes, and the machine has ${room} bytes of memory left: it cannot be loaded.`,
    userAction: true,
    data: { bytes: value.bytes, available: room },
  });
}

/** A mark that differs between two states of a file. */
async function identify(value: FileValue): Promise<string> {
  const info = await stat(value.path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(value.path, error.message, error.code === 'ENOENT');
  });
  const { dev, ino, size, mtimeNs, ctimeNs } = info;
  return [value.path, dev, ino, size, mtimeNs, ctimeNs, value.encoding, value.skip].join(':');
}
