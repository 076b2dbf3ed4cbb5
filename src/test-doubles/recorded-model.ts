import type { LanguageModelV4 } from '@ai-sdk/provider';
import { defined } from '../defined.ts';
import { createPlayer, type RecordedCall, readRecording, replyOf } from '../model/recording/recording.ts';
import { scriptedModel } from '../model/scripted/scripted-model.ts';

/**
 * An AI SDK language model that answers what was recorded with a `record:FILE:provider/model` reference, and fails with
 * a clear error when it is asked anything else.
 *
 * @param recording a JSONL file, or its records
 * @param options `modelId`, default `recorded`
 *
 * @example
 * ```ts
 * const rlm = createRlm({ model: recordedModel('test/recordings/needle.jsonl') });
 * ```
 */
export function recordedModel(
  recording: string | readonly RecordedCall[],
  options: { readonly modelId?: string } = {},
): LanguageModelV4 {
  const calls = typeof recording === 'string' ? readRecording(recording) : recording;
  const player = createPlayer(calls, typeof recording === 'string' ? `The recording ${recording}` : 'The recording');
  return scriptedModel(
    ({ messages }) => {
      const { text, reasoning, usage, finishReason } = replyOf(player.answer(messages));
      return {
        text,
        ...defined({ reasoning }),
        usage,
        finishReason: finishReason === 'length' ? 'length' : 'stop',
      };
    },
    { modelId: options.modelId ?? 'recorded' },
  );
}
