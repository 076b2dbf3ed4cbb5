import { stat } from 'node:fs/promises';
import { RlmError } from '../../errors.ts';
import type { FileValue } from '../port.ts';
import { type Message, textOf } from './lines.ts';
import type { ZygoteProcess } from './zygote-process.ts';

/**
 * Bytes from which a text becomes an image: a memory file whose pages all REPLs share. Smaller ones are read by each
 * REPL for itself, which costs less than the loader's process.
 */
const IMAGE_BYTES = 1024 * 1024;

/** A REPL that files are brought to. */
export interface SourceTarget {
  readonly id: number;
  /** Waits until the REPL has the source of that number. */
  arrival(source: number): Promise<void>;
}

/** Brings files into REPLs by descriptor: the launcher opens them, nothing passes through the host or the channel. */
export interface Sources {
  /**
   * Brings a file to a REPL; the guest finds it by the fields returned.
   *
   * @throws RlmError `context-not-found`, `context-invalid`
   */
  bring(value: FileValue, target: SourceTarget): Promise<{ readonly source: number }>;
  /** The REPL has ended: images that no other REPL uses are freed. */
  release(target: SourceTarget): void;
  /** Takes what the launcher says. */
  onMessage(message: Message): void;
}

interface Image {
  readonly ready: Promise<number | undefined>;
  readonly users: Set<number>;
  id: number | undefined;
}

interface Order {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Sources of one zygote. */
export function createSources(zygote: ZygoteProcess): Sources {
  const images = new Map<string, Image>();
  const orders = new Map<number, Order>();
  let last = 0;
  let imagesWork = true;

  function order(number: number, fields: Readonly<Record<string, unknown>>): Promise<void> {
    return new Promise((resolve, reject) => {
      orders.set(number, { resolve, reject });
      zygote.order(fields);
    });
  }

  function next(): number {
    last += 1;
    return last;
  }

  /** The number of the file's image; undefined where this Python's strings cannot be mapped. */
  async function makeImage(value: FileValue): Promise<number | undefined> {
    const image = next();
    const { path, encoding, skip } = value;
    try {
      await order(image, { image, path, encoding, skip, expect: value.bytes });
      return image;
    } catch (error) {
      if (RlmError.isInstance(error)) throw error;
      imagesWork = false;
      return undefined;
    }
  }

  async function imageOf(value: FileValue, user: number): Promise<number | undefined> {
    const info = await stat(value.path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
      throw unreadable(value.path, error.message, error.code === 'ENOENT');
    });
    const key = [
      value.path,
      info.dev,
      info.ino,
      info.size,
      info.mtimeNs,
      info.ctimeNs,
      value.encoding,
      value.skip,
    ].join(':');
    let image = images.get(key);
    if (image === undefined) {
      const fresh: Image = { ready: makeImage(value), users: new Set(), id: undefined };
      image = fresh;
      images.set(key, fresh);
      fresh.ready.then(
        (id) => {
          fresh.id = id;
        },
        () => images.delete(key),
      );
    }
    image.users.add(user);
    return image.ready;
  }

  return {
    async bring(value, target) {
      const image =
        imagesWork && value.as === 'text' && value.bytes >= IMAGE_BYTES ? await imageOf(value, target.id) : undefined;
      const source = next();
      const arrived = target.arrival(source);
      const give = { give: image ?? 0, source, repl: target.id };
      if (image === undefined) {
        // Only a refusal is answered; success is the arrival.
        const refused = order(source, { ...give, path: value.path, expect: value.bytes });
        await Promise.race([arrived, refused]);
      } else zygote.order(give);
      await arrived.finally(() => orders.delete(source));
      return { source };
    },
    release(target) {
      for (const [key, image] of images) {
        if (!image.users.delete(target.id) || image.users.size > 0) continue;
        images.delete(key);
        image.ready.then(
          (id) => id !== undefined && zygote.order({ drop: id }),
          () => {},
        );
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

function unreadable(path: string, why: string, missing: boolean): RlmError {
  return new RlmError({
    code: missing ? 'context-not-found' : 'context-invalid',
    message: `The file ${path} cannot be used as a context: ${why}.`,
    userAction: true,
    data: { path },
  });
}
