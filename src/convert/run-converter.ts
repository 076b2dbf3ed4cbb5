/**
 * Runs a converter: a process of its own that holds one file by a descriptor, and nothing else of this machine.
 *
 * @module
 */
import type { Readable } from 'node:stream';
import { ConversionError } from './conversion-error.ts';
import { converterCode } from './converter-code.ts';
import { startConverter } from './converter-walls.ts';
import type { ConvertedKind } from './kinds.ts';
import { CONVERSION_MS, CONVERTER_HEAP_MIB } from './limits.ts';
import type { ConversionWriter } from './write-conversion.ts';

/** One conversion. */
export interface ConverterRun {
  readonly kind: ConvertedKind;
  /** The part of its table to convert, by number. Absent: the file. */
  readonly part?: number;
  /** The open file. */
  readonly fd: number;
  /** Gets the messages of the process. */
  readonly writer: ConversionWriter;
  /** Milliseconds; default `CONVERSION_MS`. */
  readonly timeoutMs?: number;
}

/** Bytes of what a converter prints that are kept, for the reason of its end. */
const PRINTED_BYTES = 4_096;

/** @throws ConversionError for a file that cannot be converted, or not within the limits */
export async function runConverter(run: ConverterRun): Promise<void> {
  const { kind, part, fd, writer, timeoutMs = CONVERSION_MS } = run;
  const wanted = part === undefined ? kind : `${kind}:${part}`;
  const child = startConverter({ code: converterCode(), args: [wanted], fd, byPath: kind === 'sqlite' });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  const printed = tailOf(child.stderr);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? '' : (signal ?? `exit code ${code}`)));
  });
  try {
    if (child.stdout !== null) for await (const piece of child.stdout) writer.take(piece as Buffer);
    const failure = await ended;
    if (writer.isDone) return;
    if (late) throw new ConversionError(`its conversion took longer than ${timeoutMs / 1_000} s`);
    if (ranOutOfMemory(failure, printed())) {
      throw new ConversionError(`its conversion needs more than ${CONVERTER_HEAP_MIB} MiB of memory`);
    }
    throw new ConversionError(
      `its converter failed (${failure || 'without a result'}): ${printed().trim() || 'it gave no reason'}`,
    );
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    await ended;
  }
}

function ranOutOfMemory(failure: string, printed: string): boolean {
  return failure === 'SIGKILL' || /heap out of memory|Array buffer allocation failed|bad_alloc/i.test(printed);
}

function tailOf(stream: Readable | null): () => string {
  let tail = Buffer.alloc(0);
  stream?.on('data', (piece: Buffer) => {
    tail = Buffer.concat([tail, piece]).subarray(-PRINTED_BYTES);
  });
  return () => tail.toString('utf8');
}
