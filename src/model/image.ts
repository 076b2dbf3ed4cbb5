import { createHash } from 'node:crypto';
import { RlmError } from '../errors.ts';

/** An image in records and events, which never hold its bytes. */
export interface ImageReference {
  readonly mediaType: 'image/png' | 'image/jpeg';
  readonly bytes: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Of the bytes, in hexadecimal. */
  readonly sha256: string;
}

/** A PNG or JPEG image in a message. As JSON it is its reference: no log, journal or event gets the bytes. */
export class ModelImage {
  readonly reference: ImageReference;
  readonly #data: Uint8Array;

  /** @throws RlmError `bad-request` for bytes that are not a PNG or JPEG image */
  constructor(data: Uint8Array) {
    this.#data = data;
    const sha256 = createHash('sha256').update(data).digest('hex');
    this.reference = { ...readHeader(data), bytes: data.length, sha256 };
  }

  get data(): Uint8Array {
    return this.#data;
  }

  toJSON(): ImageReference {
    return this.reference;
  }

  /** e.g. `image/png, 800 × 600, 12345 bytes`. */
  toString(): string {
    const { mediaType, width, height, bytes } = this.reference;
    return `${mediaType}, ${width} × ${height}, ${bytes} bytes`;
  }
}

type Header = Pick<ImageReference, 'mediaType' | 'width' | 'height'>;

function readHeader(data: Uint8Array): Header {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const header = readPng(view) ?? readJpeg(view);
  if (header !== undefined && header.width > 0 && header.height > 0) return header;
  throw new RlmError({
    code: 'bad-request',
    message: `An image of ${data.length} bytes is neither PNG nor JPEG, or its header is damaged: convert it to PNG first.`,
    data: { bytes: data.length },
  });
}

/** The eight bytes at the start of a PNG file (RFC 2083 §3.1), as two numbers. */
const PNG_MARK = [0x89504e47, 0x0d0a1a0a] as const;
/** Offset of the width in the IHDR chunk, which is the first. */
const PNG_WIDTH = 16;

function readPng(view: DataView): Header | undefined {
  if (view.byteLength < PNG_WIDTH + 8) return undefined;
  if (view.getUint32(0) !== PNG_MARK[0] || view.getUint32(4) !== PNG_MARK[1]) return undefined;
  return { mediaType: 'image/png', width: view.getUint32(PNG_WIDTH), height: view.getUint32(PNG_WIDTH + 4) };
}

/** Segments with the size of a frame: SOF0 to SOF15 without DHT, JPG and DAC (ITU T.81, table B.1). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readJpeg(view: DataView): Header | undefined {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return undefined;
  let at = 2;
  while (at + 9 <= view.byteLength) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    // Fill bytes before a marker, and markers without a segment.
    if (marker === 0xff) at += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else if (isFrame(marker)) {
      return { mediaType: 'image/jpeg', height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    } else at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  return undefined;
}
