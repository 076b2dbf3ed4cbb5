import type { Readable } from 'node:stream';
import type { AttemptWatch } from '../attempt-watch.ts';
import { ModelError } from '../model-error.ts';

/** What {@link readWireBody} needs to know. */
export interface BodyLimits {
  readonly modelId: string;
  /** Largest body in bytes. */
  readonly maxBytes: number;
  /** What a body that breaks off fails the attempt with. */
  readonly lost: (error: unknown) => ModelError;
}

/** What the last event of a whole reply holds, in formats whose SDK does not pass it on. */
const CLOSING = /\[DONE\]|"usageMetadata"/;
const CLOSING_BYTES = 2_048;

/**
 * The body as the SDK reads it, with every chunk told to the attempt's watch: it counts as a sign of life and against
 * the largest response. A body that breaks off fails the attempt, whatever the SDK makes of it.
 */
export function readWireBody(body: Readable, watch: AttemptWatch, limits: BodyLimits): ReadableStream<Uint8Array> {
  let last: Uint8Array | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const fail = (error: ModelError): void => {
        watch.fail(error);
        controller.error(watch.failure);
        body.destroy();
      };
      body.on('data', (chunk: Uint8Array) => {
        last = chunk;
        watch.touch();
        watch.wire.bytes += chunk.byteLength;
        if (watch.wire.bytes > limits.maxBytes) return fail(tooLarge(limits));
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) body.pause();
      });
      body.once('end', () => {
        watch.wire.closed = CLOSING.test(new TextDecoder().decode(last?.subarray(-CLOSING_BYTES)));
        controller.close();
      });
      body.once('error', (error) => fail(limits.lost(error)));
    },
    pull() {
      body.resume();
    },
    cancel() {
      body.on('error', ignore).destroy();
    },
  });
}

function tooLarge({ modelId, maxBytes }: BodyLimits): ModelError {
  return new ModelError({
    fault: 'too-large',
    message: `${modelId} sent more than ${Math.round(maxBytes / 1024)} KiB; the connection was closed.`,
    possiblyBilled: true,
    data: { limitBytes: maxBytes },
  });
}

function ignore(): void {}
