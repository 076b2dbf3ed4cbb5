import { open } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { messageOf, RlmError } from '../../errors.ts';
import type { RunEvent } from '../../event/event.ts';
import { jsonlSink } from '../../event/jsonl-sink.ts';

/** A file that takes every event of a run, one JSON object per line. */
export interface TraceFile extends AsyncDisposable {
  write(event: RunEvent): void;
}

/**
 * Opens a trace, readable by its owner only: it holds all text the model wrote and read. An existing file is replaced.
 *
 * @param onFailure called when an event could not be written: a broken trace does not end the run
 * @throws RlmError `invalid-option` when the file cannot be opened: before anything is paid
 */
export async function openTrace(path: string, onFailure: (message: string) => void): Promise<TraceFile> {
  const file = await open(path, 'w', 0o600).catch((error: unknown) => {
    throw new RlmError({
      code: 'invalid-option',
      message: `The trace ${path} cannot be written: ${messageOf(error)}.`,
      userAction: true,
      cause: error,
      data: { path },
    });
  });
  const stream = file.createWriteStream({ encoding: 'utf8' });
  const sink = jsonlSink(stream, { ephemeral: true });
  return {
    write: sink.write,
    async [Symbol.asyncDispose]() {
      stream.end();
      try {
        await finished(stream);
        await sink.close();
      } catch (error) {
        onFailure(`The trace ${path} is not whole: ${messageOf(error)}`);
      }
    },
  };
}
