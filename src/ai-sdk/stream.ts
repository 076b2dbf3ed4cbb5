import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { narrate } from '../door/narrate.ts';
import { CompletionError } from '../engine/result.ts';
import type { CompletionRun } from '../run/run-handle.ts';
import type { PreparedCall } from './call.ts';
import { answerOf, finishReason, runMetadata, usageOf } from './response.ts';

export interface StreamedRun {
  readonly run: CompletionRun<unknown>;
  readonly call: PreparedCall;
  readonly modelId: string;
  /** The error as `ai` gets it. */
  readonly errorOf: (error: unknown) => unknown;
}

/** A run as a stream of the AI SDK. Cancelling the stream cancels the run. */
export function streamOf(streamed: StreamedRun): ReadableStream<LanguageModelV4StreamPart> {
  const parts = partsOf(streamed);
  let open = true;
  return new ReadableStream({
    async pull(controller) {
      const next = await parts.next();
      if (!open) return;
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    cancel() {
      open = false;
      streamed.run.cancel('its stream was closed');
    },
  });
}

async function* partsOf(streamed: StreamedRun): AsyncGenerator<LanguageModelV4StreamPart, void> {
  const { run, call, modelId, errorOf } = streamed;
  yield { type: 'stream-start', warnings: call.warnings };
  yield { type: 'response-metadata', id: run.id, modelId, timestamp: new Date() };
  yield* reasoningOf(run);
  try {
    const result = await run;
    const answer = answerOf(result, call);
    yield* textOf(answer.text);
    yield {
      type: 'finish',
      usage: usageOf(result.usage),
      finishReason: finishReason(answer, result),
      providerMetadata: runMetadata(result),
    };
  } catch (error) {
    yield { type: 'error', error: errorOf(error) };
    if (!CompletionError.isInstance(error)) return;
    const { result } = error;
    yield {
      type: 'finish',
      usage: usageOf(result.usage),
      finishReason: { unified: 'error', raw: result.stop },
      providerMetadata: runMetadata(result),
    };
  }
}

/** Each turn is a reasoning part of its own. */
async function* reasoningOf(run: CompletionRun<unknown>): AsyncGenerator<LanguageModelV4StreamPart, void> {
  let open: string | undefined;
  for await (const { turn, text } of narrate(run)) {
    const id = `turn-${turn}`;
    if (open !== id) {
      if (open !== undefined) yield { type: 'reasoning-end', id: open };
      yield { type: 'reasoning-start', id };
      open = id;
    }
    yield { type: 'reasoning-delta', id, delta: text };
  }
  if (open !== undefined) yield { type: 'reasoning-end', id: open };
}

/** The answer comes in one piece: there is nothing of it before it is accepted. */
function* textOf(text: string): Generator<LanguageModelV4StreamPart, void> {
  if (text === '') return;
  yield { type: 'text-start', id: 'answer' };
  yield { type: 'text-delta', id: 'answer', delta: text };
  yield { type: 'text-end', id: 'answer' };
}
