import type { AttemptWatch } from '../attempt-watch.ts';
import { ModelError } from '../model-error.ts';

/** What {@link watchBody} needs to know. */
export interface BodyLimits {
  readonly modelId: string;
  readonly maxResponseBytes: number;
}

/** What the last event of a whole reply holds, in formats whose SDK does not pass it on. */
const CLOSING = /\[DONE\]|"usageMetadata"/;

/**
 * The body, with every chunk told to the attempt's watch: it counts as a sign of life and against the largest response.
 * A body that breaks off fails the attempt, whatever the SDK makes of it.
 */
export function watchBody(
  body: ReadableStream<Uint8Array>,
  watch: AttemptWatch,
  limits: BodyLimits,
  lost: (error: unknown) => ModelError,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let last: Uint8Array | undefined;
  const fail = (controller: ReadableStreamDefaultController<Uint8Array>, error: ModelError): void => {
    watch.fail(error);
    controller.error(watch.failure);
    void reader.cancel().catch(() => {});
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          watch.wire.closed = CLOSING.test(new TextDecoder().decode(last?.subarray(-2_048)));
          return controller.close();
        }
        last = value;
        watch.touch();
        watch.wire.bytes += value.byteLength;
        if (watch.wire.bytes > limits.maxResponseBytes) return fail(controller, tooLarge(limits));
        controller.enqueue(value);
      } catch (error) {
        fail(controller, lost(error));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

function tooLarge({ modelId, maxResponseBytes }: BodyLimits): ModelError {
  return new ModelError({
    fault: 'too-large',
    message: `${modelId} sent more than ${Math.round(maxResponseBytes / 1024)} KiB; the connection was closed.`,
    possiblyBilled: true,
    data: { limitBytes: maxResponseBytes },
  });
}
