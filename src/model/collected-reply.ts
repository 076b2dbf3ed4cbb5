import { defined } from '../defined.ts';
import type { WireFacts } from './attempt-watch.ts';
import { estimateMessages } from './estimate-tokens.ts';
import { ModelError } from './model-error.ts';
import type { FinishReason, ModelReply, ModelRequest, ReplyNotice, ToolCall } from './port.ts';
import type { ReplyFilters } from './redact.ts';
import type { FinishReport } from './stream.ts';
import { type ReplyText, settleUsage } from './usage.ts';

/** The parts of a reply as they arrived. */
export interface Collected extends ReplyText {
  text: string;
  reasoning: string;
  /** Takes keys out of what the model sends. */
  readonly filters: ReplyFilters;
  finish: FinishReport | undefined;
  stopped: boolean;
  /** The stream said that it is at its end. */
  ended: boolean;
  readonly toolCalls: ToolCall[];
  /** The failure that the provider reported beside the end of the reply. */
  choiceError: unknown;
}

/**
 * The reply that an attempt collected.
 *
 * @throws ModelError `truncated`, `refused` or `empty` when it is not a whole reply
 */
export function toReply(modelId: string, request: ModelRequest, collected: Collected, wire: WireFacts): ModelReply {
  const { text, reasoning, finish, toolCalls } = collected;
  const reason = endOf(collected, wire);
  if (reason === undefined) {
    throw text === '' && wire.closed ? empty(modelId, 'none', request.maxOutputTokens) : truncated(modelId, collected);
  }
  if (reason === 'refused') throw refused(modelId, finish?.raw, text);
  if (text.trim() === '' && toolCalls.length === 0 && reason !== 'stopped') {
    throw reasoning.trim() === '' || reason === 'length'
      ? empty(modelId, reason, request.maxOutputTokens)
      : onlyReasoning(modelId, reasoning);
  }
  const usage = settleUsage(finish?.usage, request, collected);
  const notices = noticesOf(modelId, { finish, usage, request });
  return {
    text: text.toWellFormed(),
    ...(reasoning === '' ? {} : { reasoning: reasoning.toWellFormed() }),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
    ...(notices.length === 0 ? {} : { notices }),
    finishReason: reason,
    usage,
  };
}

/** Some servers write this into every event, which says nothing of the end. */
const NO_WORD = /^(?:null)?$/;

/** Why the reply ended; undefined when it did not, however its stream did. */
function endOf({ finish, stopped }: Collected, wire: WireFacts): FinishReason | 'refused' | undefined {
  if (stopped) return 'stopped';
  const { reason, raw } = finish ?? { reason: 'missing', raw: undefined };
  if (reason === 'missing' || reason === 'error') return undefined;
  return raw !== undefined && NO_WORD.test(raw) && !wire.closed ? undefined : reason;
}

function truncated(modelId: string, { text, finish }: Collected): ModelError {
  const received = text === '' ? 'no text' : `${text.length} characters`;
  const how =
    finish?.reason === 'error' && finish.raw !== undefined
      ? `with the reason '${finish.raw}'`
      : 'without a finish reason';
  return new ModelError({
    fault: 'truncated',
    message: `The reply of ${modelId} broke off after ${received}: its stream ended ${how}.`,
    possiblyBilled: true,
    data: { received: text.length, ...defined({ finishReason: finish?.raw }) },
  });
}

/** Most characters of a reasoning text that an error carries. */
const REASONING_CHARS = 20_000;

function onlyReasoning(modelId: string, reasoning: string): ModelError {
  return new ModelError({
    fault: 'empty',
    message: `${modelId} sent only reasoning and no answer.`,
    // The reasoning was paid for, and the same request is likely to end in the same way.
    retryable: false,
    data: { finishReason: 'stop', reasoning: reasoning.slice(-REASONING_CHARS).toWellFormed() },
  });
}

interface ReplyFacts {
  readonly finish: FinishReport | undefined;
  readonly usage: ModelReply['usage'];
  readonly request: ModelRequest;
}

/** Shorter prompts say nothing: an estimate of few tokens may be wrong by half. */
const NOTICE_TOKENS = 3_000;

function noticesOf(modelId: string, { finish, usage, request }: ReplyFacts): ReplyNotice[] {
  const notices: ReplyNotice[] = [];
  const expected = estimateMessages(request.messages);
  const { inputTokens: counted } = usage;
  const cut = counted < expected / 2 || (counted < expected * 0.9 && isPowerOfTwo(counted));
  if (!usage.estimated && expected >= NOTICE_TOKENS && cut) {
    const message =
      `${modelId} counted ${counted} input tokens of a prompt of about ${expected}: its server may have cut the prompt ` +
      `to a window of that size. Give the model a larger window (Ollama: OLLAMA_CONTEXT_LENGTH or num_ctx).`;
    notices.push({ kind: 'input-truncated', message });
  }
  if (finish?.reason === 'other' && finish.raw !== undefined && !/^tool|^function/.test(finish.raw)) {
    const message = `${modelId} ended its reply with the unknown reason '${finish.raw}'; the reply was taken as whole.`;
    notices.push({ kind: 'unknown-finish-reason', message });
  }
  return notices;
}

function isPowerOfTwo(count: number): boolean {
  return Number.isInteger(Math.log2(count));
}

function refused(modelId: string, raw: string | undefined, text: string): ModelError {
  const why = raw === undefined ? '' : ` (${raw})`;
  return new ModelError({
    fault: 'refused',
    message: `${modelId} refused to answer: its content filter ended the reply${why}.`,
    data: { ...defined({ finishReason: raw }), partial: text.slice(0, 500) },
  });
}

function empty(modelId: string, reason: string, maxOutputTokens: number): ModelError {
  const cutOff = reason === 'length';
  return new ModelError({
    fault: 'empty',
    message: cutOff
      ? `${modelId} used up its ${maxOutputTokens} output tokens without any text; allow it more output tokens.`
      : `${modelId} returned an empty reply.`,
    // The same request would run into the same limit.
    retryable: !cutOff,
    data: { finishReason: reason },
  });
}
