import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { EPHEMERAL_EVENTS, type RunEvent } from './event.ts';
import { redactEvent } from './redact.ts';

/** Options of {@link jsonlSink}. */
export interface JsonlSinkOptions {
  /** Metadata only: no query, reply, code, output or answer. Default false. */
  readonly redact?: boolean;
  /** Also ephemeral events, such as pieces of output. Default false. */
  readonly ephemeral?: boolean;
}

/** Where event lines go. */
export interface JsonlSink {
  /** Writes an event as a line; give it as `onEvent`. Never waits. */
  readonly write: (event: RunEvent) => void;
  /** Resolves when every line is handed to the system. @throws the first error of the file or stream */
  close(): Promise<void>;
}

/**
 * Writes events as JSON lines to a file (appending) or a stream, one object each.
 *
 * @example
 * ```ts
 * const sink = jsonlSink('run.events.jsonl');
 * const rlm = createRlm({ model: 'openai/gpt-5', onEvent: sink.write });
 * ```
 */
export function jsonlSink(target: string | Writable, options: JsonlSinkOptions = {}): JsonlSink {
  const { redact = false, ephemeral = false } = options;
  const own = typeof target === 'string';
  const stream = own ? createWriteStream(target, { flags: 'a', mode: 0o600 }) : target;
  let failure: Error | undefined;
  stream.on('error', (error: Error) => {
    failure ??= error;
  });
  return {
    write(event) {
      if (failure !== undefined || (!ephemeral && EPHEMERAL_EVENTS.has(event.type))) return;
      stream.write(`${JSON.stringify(redact ? redactEvent(event) : event)}\n`);
    },
    async close() {
      if (own && failure === undefined) {
        stream.end();
        await finished(stream).catch(() => undefined);
      }
      if (failure !== undefined) throw failure;
    },
  };
}
