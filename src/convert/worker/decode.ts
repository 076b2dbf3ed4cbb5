import { analyse } from 'chardet';

/** Bytes by which an encoding is guessed. */
const SAMPLE = 65_536;

/** Text in the encoding that its mark, its declaration or its bytes say. */
export function decoded(bytes: Buffer): string {
  const mark =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : undefined;
  if (mark !== undefined) return new TextDecoder(mark).decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return decoderOf(declared(bytes) ?? guessed(bytes)).decode(bytes);
  }
}

function declared(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, 2_048);
  return /(?:charset|encoding)\s*=\s*["']?([\w-]+)/i.exec(head)?.[1];
}

function guessed(bytes: Buffer): string {
  return analyse(bytes.subarray(0, SAMPLE))[0]?.name ?? 'windows-1252';
}

function decoderOf(label: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(label);
  } catch {
    return new TextDecoder('windows-1252'); // A declared encoding that does not exist.
  }
}
