import { doorAnswer } from '../../door/answer.ts';
import type { CompletionResult } from '../../engine/result.ts';
import { fathomFacts } from '../ask.ts';
import type { JsonBody } from '../body.ts';

/** The fields that every object of one reply repeats. */
export interface ChatHead {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
}

/** The whole reply. */
export function chatCompletion(head: ChatHead, result: CompletionResult<unknown>, maxOutputTokens?: number): JsonBody {
  const { text, finish } = doorAnswer(result, maxOutputTokens);
  const message = { role: 'assistant', content: text, refusal: null };
  return {
    ...{ id: head.id, object: 'chat.completion', created: head.created, model: head.model },
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    usage: chatUsage(result),
    fathom: fathomFacts(result),
  };
}

/** One piece of a streamed reply. `usage` is null in all but the last piece, where the client asked for it. */
export function chatChunk(
  { id, created, model }: ChatHead,
  delta: Readonly<Record<string, unknown>>,
  more: { readonly finish?: string; readonly usage?: null } = {},
): JsonBody {
  const { finish = null, ...rest } = more;
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return { id, object: 'chat.completion.chunk', created, model, choices, ...rest };
}

/** Usage of the whole tree, in the fields of chat. */
export function chatUsage({
  usage: { inputTokens, outputTokens, cachedTokens = 0 },
}: CompletionResult<unknown>): JsonBody {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  };
}
