/**
 * Texts on their way into workers: measured, refused when they cannot fit, sent, and remembered so that they can be
 * sent again.
 *
 * @module
 */
import type { Writable } from 'node:stream';
import { RlmError } from '../../errors.ts';
import type { MemoryText } from '../channel/index.ts';
import type { FileValue } from '../port.ts';
import { fileSource, stringSource, type TextSource } from './text-source.ts';
import type { TextShape } from './text-units.ts';
import { type LoadHeader, RUNTIME } from './worker/protocol.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Memory an interpreter takes before anything is loaded, with room for cells to work in. */
const INTERPRETER_BYTES = 64 * 1024 * 1024;
/** Linear memory ends here, whatever the limit says; so does the length of one Python string. */
const MOST_MEMORY = 4_294_901_760;
const MOST_STRING = 2 ** 31 - 64;

/** Texts of one REPL. */
export interface LoadedTexts {
  /** Loads a text; the guest finds it under the token. @throws RlmError `context-length` when it does not fit */
  load(worker: WorkerHandle, value: FileValue | MemoryText): Promise<{ readonly token: string }>;
  /** Writes a text again. @throws RlmError `context-invalid` when it has changed */
  resend(token: string, pipe: Writable): Promise<void>;
}

export interface LoadedTextsOptions {
  readonly memoryBytes: number;
}

/** Makes the collection. */
export function makeLoadedTexts({ memoryBytes }: LoadedTextsOptions): LoadedTexts {
  const kept = new Map<string, { readonly source: TextSource; readonly shape: TextShape }>();
  let count = 0;
  let used = 0;
  return {
    async load(worker, value) {
      const source = 'text' in value ? stringSource(value.text) : fileSource(value);
      count += 1;
      const available = Math.min(memoryBytes, MOST_MEMORY) - INTERPRETER_BYTES - used;
      const transfer: Transfer = {
        worker,
        value,
        source,
        token: `text-${count}`,
        keep: value.as === 'text' && !('transient' in value),
        available,
      };
      const shape = (await sendAsGuessed(transfer)) ?? (await sendAsMeasured(transfer));
      if (transfer.keep) {
        used += shape.length * shape.unit;
        kept.set(transfer.token, { source, shape });
      }
      return { token: transfer.token };
    },
    async resend(token, pipe) {
      const text = kept.get(token);
      if (text === undefined) {
        throw new RlmError({ code: 'repl-failure', message: 'A text of the snapshot is unknown.' });
      }
      if (await text.source.send(text.shape, 'units', pipe)) return;
      throw new RlmError({ code: 'context-invalid', message: 'A context file has changed since it was loaded.' });
    },
  };
}

interface Transfer {
  readonly worker: WorkerHandle;
  readonly value: FileValue;
  readonly source: TextSource;
  readonly token: string;
  readonly keep: boolean;
  readonly available: number;
}

/** Most files are ASCII, and then their size says everything: they are read once. Undefined when this one is not. */
async function sendAsGuessed(transfer: Transfer): Promise<TextShape | undefined> {
  const length = await transfer.source.guess?.();
  if (length === undefined) return undefined;
  const shape: TextShape = { length, unit: 1, maxChar: 127 };
  return (await send(transfer, shape)) ? shape : undefined;
}

async function sendAsMeasured(transfer: Transfer): Promise<TextShape> {
  const shape = await transfer.source.measure();
  if (await send(transfer, shape)) return shape;
  throw new RlmError({
    code: 'context-invalid',
    message: `The file ${transfer.value.path} cannot be the context: it changed while it was read.`,
    userAction: true,
  });
}

/** False when the source was not of this shape. */
async function send(transfer: Transfer, shape: TextShape): Promise<boolean> {
  const { worker, value, source, token, keep, available } = transfer;
  const bytes = shape.length * shape.unit;
  checkFits(value, bytes, available);
  const header: LoadHeader = { token, ...shape, keep, ...source.form(shape) };
  const [answer, whole] = await Promise.all([
    worker.ask(RUNTIME.load, header),
    source.send(shape, header.form, worker.data),
  ]);
  if (!whole) return false;
  if ((answer.header as { loaded?: unknown }).loaded === true) return true;
  throw tooLarge(value, bytes, 'its memory is in use');
}

function checkFits(value: FileValue, bytes: number, available: number): void {
  if (bytes > MOST_STRING) throw tooLarge(value, bytes, `one text takes at most ${MOST_STRING} bytes`);
  if (bytes > available) throw tooLarge(value, bytes, `${Math.max(0, available)} bytes are available (memoryBytes)`);
}

function tooLarge(value: FileValue, bytes: number, why: string): RlmError {
  return new RlmError({
    code: 'context-length',
    message: `The context ${value.path} takes ${bytes} bytes in the REPL, but ${why}. Give more memoryBytes, or use a projection.`,
    userAction: true,
    data: { bytes },
  });
}
