import { doorAnswer } from '../../door/answer.ts';
import { errorResponse } from '../../door/error-response.ts';
import type { CompletionResult } from '../../engine/result.ts';
import type { RunRecord } from '../../store/index.ts';
import { fathomFacts } from '../ask.ts';
import type { JsonBody } from '../body.ts';

/** The fields that every object of one response repeats. */
export interface ResponseHead {
  /** Of the run. */
  readonly runId: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly model: string;
  readonly background: boolean;
}

const PREFIX = 'resp_';

/** The id of a run's response. */
export function responseId(runId: string): string {
  return `${PREFIX}${runId}`;
}

/** The run of a response. */
export function runIdOf(id: string): string {
  return id.startsWith(PREFIX) ? id.slice(PREFIX.length) : id;
}

/** A response without its result. */
export function openResponse(head: ResponseHead, status: string): JsonBody {
  const { runId, createdAt, model, background } = head;
  return {
    ...{ id: responseId(runId), object: 'response', created_at: createdAt, status, background, model, output: [] },
    ...{ error: null, incomplete_details: null, usage: null, previous_response_id: null },
    ...{ instructions: null, metadata: {}, parallel_tool_calls: false, tool_choice: 'none', tools: [] },
    ...{ temperature: null, top_p: null },
  };
}

/** The message with the answer. */
export function messageItem(runId: string, text: string, status = 'completed'): JsonBody {
  const content = status === 'in_progress' ? [] : [textPart(text)];
  return { id: `msg_${runId}`, type: 'message', role: 'assistant', status, content };
}

/** The text of the answer. */
export function textPart(text: string): JsonBody {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

/** The turns, as a summary of reasoning. */
export function reasoningItem(runId: string, text: string): JsonBody {
  return { id: `rs_${runId}`, type: 'reasoning', summary: text === '' ? [] : [{ type: 'summary_text', text }] };
}

/** A response with its result. */
export function endedResponse(
  head: ResponseHead,
  result: CompletionResult<unknown>,
  { reasoning, maxOutputTokens }: { readonly reasoning?: JsonBody; readonly maxOutputTokens: number | undefined },
): JsonBody {
  const { text, finish } = doorAnswer(result, maxOutputTokens);
  const { inputTokens, outputTokens, cachedTokens = 0 } = result.usage;
  const complete = finish === 'stop';
  const message = messageItem(head.runId, text);
  return {
    ...openResponse(head, complete ? 'completed' : 'incomplete'),
    output: reasoning === undefined ? [message] : [reasoning, message],
    incomplete_details: complete ? null : { reason: 'max_output_tokens' },
    usage: responseUsage({ inputTokens, outputTokens, cachedTokens }),
    fathom: fathomFacts(result),
  };
}

/** A response whose run failed. */
export function failedResponse(head: ResponseHead, error: unknown): JsonBody {
  const { code, message } = errorResponse(error).body.error;
  return { ...openResponse(head, 'failed'), error: { code, message } };
}

const STATUS: Readonly<Record<RunRecord['status'], string>> = {
  ...{ queued: 'in_progress', running: 'in_progress', interrupted: 'in_progress', paused: 'in_progress' },
  ...{ completed: 'completed', failed: 'failed', aborted: 'cancelled' },
};

/** The response of a stored run: the record has no single calls, so cached tokens are not known. */
export function storedResponse({ id, status, createdAt, owner, result }: RunRecord, model: string): JsonBody {
  const created = Math.floor(Date.parse(createdAt) / 1_000);
  const head = { runId: id, createdAt: created, model, background: owner?.detached === true };
  const open = openResponse(head, STATUS[status]);
  if (result === undefined || open.status === 'in_progress') return open;
  const { text, reason = '', outcome, inputTokens, outputTokens } = result;
  const usage = responseUsage({ inputTokens, outputTokens, cachedTokens: 0 });
  if (status !== 'completed') {
    return { ...open, usage, error: status === 'failed' ? { code: 'server_error', message: reason } : null };
  }
  const complete = outcome === 'converged';
  return {
    ...{ ...open, usage, output: [messageItem(id, text)], status: complete ? 'completed' : 'incomplete' },
    incomplete_details: complete ? null : { reason: 'max_output_tokens' },
  };
}

function responseUsage(usage: Readonly<Record<'inputTokens' | 'outputTokens' | 'cachedTokens', number>>): JsonBody {
  const { inputTokens, outputTokens, cachedTokens } = usage;
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  };
}
