import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { sha256OfFile } from '../context/scan-file.ts';
import type { FileValue, GuestValue } from '../repl/port.ts';

/** A context as it travels: by the hash of its content. */
export interface SentContext {
  readonly kind: 'text' | 'json' | 'file';
  /** SHA-256 in hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** A text in UTF-16, because it has lone surrogates. */
  readonly wide?: true;
  readonly encoding?: FileValue['encoding'];
  readonly as?: FileValue['as'];
}

/** A context that workers fetch by the hash of its content. */
export interface ContextContent {
  readonly sent: SentContext;
  /** A part of it; empty at the end. */
  part(offset: number): Promise<Buffer>;
}

/** Bytes that travel at once. */
export const PART_BYTES: number = 512 * 1024;

/** The content of a child's context. */
export async function contextContent(value: GuestValue): Promise<ContextContent> {
  if (value.kind === 'file') {
    const { path, bytes, encoding, as } = value;
    const sent = { kind: 'file', sha256: await sha256OfFile(path), bytes, encoding, as } as const;
    return { sent, part: (offset) => partOfFile(path, offset) };
  }
  const text = value.kind === 'text' ? value.text : value.json;
  // UTF-16 keeps lone surrogates.
  const wellFormed = text.isWellFormed();
  const content = Buffer.from(text, wellFormed ? 'utf8' : 'utf16le');
  const sha256 = createHash('sha256').update(content).digest('hex');
  const sent = { kind: value.kind, sha256, bytes: content.length, ...(!wellFormed && { wide: true as const }) };
  return { sent, part: async (offset) => content.subarray(offset, offset + PART_BYTES) };
}

async function partOfFile(path: string, offset: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(PART_BYTES), 0, PART_BYTES, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
