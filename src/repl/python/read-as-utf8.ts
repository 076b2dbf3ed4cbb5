import { messageOf, RlmError } from '../../errors.ts';
import { openRegular } from '../../regular-file.ts';
import { decodeText } from '../../text-encoding.ts';
import type { FileValue } from '../port.ts';

/** Bytes read at a time. */
const PIECE = 1024 * 1024;

/**
 * A file of another encoding as UTF-8.
 *
 * @throws RlmError `context-not-found`, `context-invalid`
 */
export async function readAsUtf8(value: FileValue): Promise<Buffer> {
  const { path, bytes, encoding, skip } = value;
  try {
    await using file = await openRegular(value);
    const decoding = decodeText(encoding);
    const pieces: Buffer[] = [];
    let position = skip;
    const buffer = Buffer.allocUnsafe(PIECE);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, PIECE, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      if (position > bytes) break;
      pieces.push(Buffer.from(decoding.push(buffer.subarray(0, bytesRead)), 'utf8'));
    }
    if (position !== bytes) {
      throw unreadable(path, `it had ${bytes} bytes when it was looked at and has changed since`, false);
    }
    pieces.push(Buffer.from(decoding.end(), 'utf8'));
    return Buffer.concat(pieces);
  } catch (error) {
    if (RlmError.isInstance(error)) throw error;
    throw unreadable(path, messageOf(error), (error as NodeJS.ErrnoException).code === 'ENOENT');
  }
}

/** The error for a file that cannot be read now. */
export function unreadable(path: string, why: string, missing: boolean): RlmError {
  return new RlmError({
    code: missing ? 'context-not-found' : 'context-invalid',
    message: `The file ${path} cannot be used as a context: ${why}.`,
    userAction: true,
    data: { path },
  });
}
