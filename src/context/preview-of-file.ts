import { openRegular } from '../regular-file.ts';
import type { FileValue } from '../repl/port.ts';
import { decodeWhole } from '../text-encoding.ts';
import {
  joinPreview,
  MIDDLE_AT,
  PREVIEW_CHARS,
  PREVIEW_HEAD,
  PREVIEW_MIDDLE,
  PREVIEW_TAIL,
  previewText,
} from './preview.ts';
import { readAt } from './scan-file.ts';

/** Bytes of the longest character. */
const LONGEST = 4;

/** A bounded preview of a text file, read at its beginning, middle and end. */
export async function previewOfFile(value: FileValue): Promise<string> {
  const { bytes, encoding, skip } = value;
  await using file = await openRegular(value);
  const size = bytes - skip;
  const shown = LONGEST * PREVIEW_CHARS;
  const decode = async (position: number, length: number): Promise<string> =>
    decodeWhole(await readAt(file, position, Math.min(length, bytes - position)), encoding);
  if (size <= shown) return previewText(await decode(skip, size));
  const head = await decode(skip, LONGEST * PREVIEW_HEAD);
  // A code unit of UTF-16 has two bytes. A cut may fall inside a character, which is not shown then.
  const start = skip + 2 * Math.floor((size * MIDDLE_AT) / 2);
  const middle = CUT_ANYWHERE.test(encoding) ? await decode(start, 2 * LONGEST * PREVIEW_MIDDLE) : '';
  const end = LONGEST * (PREVIEW_TAIL + 1);
  // Nothing is shown of the end in an encoding that has states.
  const tail = encoding === 'iso-2022-jp' ? '' : await decode(bytes - end, end);
  return joinPreview({ head, middle, tail: trimmed(tail) });
}

/** Encodings that can be read from any position: other ones with several bytes per character cannot. */
const CUT_ANYWHERE = /^(?:utf-8|utf-16|windows-|iso-8859|koi8|macintosh|ibm866)/;

/** Without the remains of a character that the beginning of a piece cut. */
function trimmed(piece: string): string {
  return piece.replace(/^\ufffd+/, '');
}
