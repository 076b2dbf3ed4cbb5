/** A model that sends its replies piece by piece, as fast as the test lets it. */
import type { LanguageModelV4, LanguageModelV4StreamPart } from '@ai-sdk/provider';

/** A reply: its pieces in order; an await between them delays the rest, and an error breaks the stream. */
export type PacedReply = (call: { readonly signal: AbortSignal }) => AsyncGenerator<string, void>;

export interface PacedModel extends LanguageModelV4 {
  /** Calls so far. */
  calls: number;
  /** The text of the last message of each call. */
  readonly prompts: string[];
  /** Streams that their reader cancelled. */
  cancelled: number;
}

const USAGE = {
  inputTokens: { total: 10, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 10, text: undefined, reasoning: undefined },
};

export function pacedModel(replies: readonly PacedReply[], modelId = 'paced'): PacedModel {
  const model: PacedModel = {
    ...{ specificationVersion: 'v4', provider: 'scripted', modelId, supportedUrls: {} },
    ...{ calls: 0, cancelled: 0, prompts: [] },
    doGenerate: () => Promise.reject(new Error('it only streams')),
    async doStream({ abortSignal, prompt }) {
      const reply = replies[model.calls];
      model.calls += 1;
      const last = prompt.at(-1)?.content;
      model.prompts.push(typeof last === 'string' ? last : JSON.stringify(last));
      if (reply === undefined) throw new Error(`there is no reply ${model.calls}`);
      const signal = abortSignal ?? new AbortController().signal;
      return { stream: streamOf(reply({ signal }), () => (model.cancelled += 1)) };
    },
  };
  return model;
}

function streamOf(
  pieces: AsyncGenerator<string, void>,
  onCancel: () => void,
): ReadableStream<LanguageModelV4StreamPart> {
  return new ReadableStream<LanguageModelV4StreamPart>({
    start(controller) {
      controller.enqueue({ type: 'stream-start', warnings: [] });
      controller.enqueue({ type: 'text-start', id: '0' });
    },
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done !== true) {
        controller.enqueue({ type: 'text-delta', id: '0', delta: value });
        return;
      }
      controller.enqueue({ type: 'text-end', id: '0' });
      controller.enqueue({ type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: USAGE });
      controller.close();
    },
    cancel: onCancel,
  });
}
