import type { LanguageModelV4 } from '@ai-sdk/provider';
import { onTestFinished } from 'vitest';
import { type LanguageModelOptions, languageModel } from '../../src/ai-sdk/index.ts';
import type { Rlm, RlmOptions, RunEvent } from '../../src/index.ts';
import { rlmOf } from '../engine/harness.ts';
import {
  type MockAnswer,
  type MockProvider,
  type MockReply,
  type MockRequest,
  startMockProvider,
} from '../mock-provider/index.ts';

export interface Door {
  readonly mock: MockProvider;
  readonly rlm: Rlm;
  readonly model: LanguageModelV4;
  readonly events: readonly RunEvent[];
}

/** Replies in order, the last one again and again; or a function of the request. */
export type Replies = readonly MockReply[] | ((request: MockRequest) => MockReply | Promise<MockReply>);

/** A language model of an `Rlm` whose own model is a provider on loopback. */
export async function doorOf(
  replies: Replies,
  { rlm: rlmOptions, ...options }: LanguageModelOptions & { readonly rlm?: Partial<RlmOptions> } = {},
): Promise<Door> {
  let next = 0;
  const mock = await startMockProvider({
    respond: (request) =>
      typeof replies === 'function' ? replies(request) : (replies[Math.min(next++, replies.length - 1)] ?? ''),
  });
  onTestFinished(() => mock.close());
  const events: RunEvent[] = [];
  const rlm = rlmOf({
    model: `${mock.url}/v1#root`,
    ...rlmOptions,
    onEvent: (event) => {
      events.push(event);
      rlmOptions?.onEvent?.(event);
    },
  });
  return { mock, rlm, model: languageModel(rlm, options), events };
}

/** The reply of an agent's model that calls a tool. */
export function toolCall(name: string, input: unknown): MockAnswer {
  const call = { index: 0, id: 'call_1', type: 'function', function: { name, arguments: JSON.stringify(input) } };
  const message = { role: 'assistant', content: '', tool_calls: [call] };
  return { text: '', finishReason: 'tool_calls', choiceFields: { delta: message, message } };
}
