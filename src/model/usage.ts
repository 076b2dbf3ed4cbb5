import type { LanguageModelV2Usage, LanguageModelV3Usage, LanguageModelV4Usage } from '@ai-sdk/provider';
import { estimateMessages, estimateTokens } from './estimate-tokens.ts';
import type { CallUsage, ModelRequest } from './port.ts';

/** The usage of a call in the form of any supported version of the AI SDK. */
export type ReportedUsage = LanguageModelV2Usage | LanguageModelV3Usage | LanguageModelV4Usage;

/** The text of a whole or partial reply. */
export interface ReplyText {
  readonly text: string;
  readonly reasoning: string;
}

/** No token is shorter than a byte; the unseen additions of a provider to a request stay below this many tokens. */
const HIDDEN_INPUT_TOKENS = 50_000;
/** Reasoning may exceed the maximum we send, but not by more than this. */
const HIDDEN_OUTPUT_TOKENS = 100_000;

/**
 * The usage an attempt is booked with: the provider's counts where they can be true; where they are missing or absurd
 * (zero, negative, larger than the text allows) our estimate, marked as such and with the report kept beside it.
 */
export function settleUsage(reported: ReportedUsage | undefined, request: ModelRequest, reply: ReplyText): CallUsage {
  const counts = readCounts(reported);
  const inputTokens = plausible(counts.input, maxInput(request)) ? counts.input : undefined;
  const outputTokens = plausibleOutput(counts.output, request, reply) ? counts.output : undefined;
  const estimated = inputTokens === undefined || outputTokens === undefined;
  const absurd =
    (inputTokens === undefined && counts.input !== undefined) ||
    (outputTokens === undefined && counts.output !== undefined);
  return {
    inputTokens: inputTokens ?? estimatedInput(request),
    outputTokens: outputTokens ?? estimateOutput(request, reply),
    ...(inputTokens === undefined ? {} : cacheCounts(counts, inputTokens)),
    ...reportedCost(reported),
    estimated,
    ...(absurd ? { reported: { inputTokens: counts.input, outputTokens: counts.output } } : {}),
  };
}

/** The usage for an attempt without a provider's report: the prompt and the streamed part of the reply. */
export function estimateUsage(request: ModelRequest, reply: ReplyText): CallUsage {
  return {
    inputTokens: estimatedInput(request),
    outputTokens: estimateOutput(request, reply),
    estimated: true,
  };
}

function estimatedInput({ messages, imageTokens = 0 }: ModelRequest): number {
  return estimateMessages(messages) + imageTokens;
}

/** Never above what we allowed: a flood is not a bill. */
function estimateOutput(request: ModelRequest, reply: ReplyText): number {
  return Math.min(request.maxOutputTokens, estimateTokens(reply.text) + estimateTokens(reply.reasoning));
}

/** `usage.cost` in US dollars, as OpenRouter and gateways like it report it. */
function reportedCost(reported: ReportedUsage | undefined): Pick<CallUsage, 'costUsd'> {
  const raw = reported !== undefined && reported !== null && 'raw' in reported ? reported.raw : undefined;
  const { cost } = (raw ?? {}) as { readonly cost?: unknown };
  return typeof cost === 'number' && Number.isFinite(cost) && cost >= 0 ? { costUsd: cost } : {};
}

function cacheCounts(counts: Counts, inputTokens: number): Pick<CallUsage, 'cachedTokens' | 'cacheWriteTokens'> {
  const cachedTokens = Math.min(counts.cached ?? 0, inputTokens);
  const cacheWriteTokens = Math.min(counts.cacheWrite ?? 0, inputTokens - Math.max(0, cachedTokens));
  return {
    ...(cachedTokens > 0 ? { cachedTokens } : {}),
    ...(cacheWriteTokens > 0 ? { cacheWriteTokens } : {}),
  };
}

interface Counts {
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly cached: number | undefined;
  readonly cacheWrite: number | undefined;
}

const NO_COUNTS: Counts = { input: undefined, output: undefined, cached: undefined, cacheWrite: undefined };

function readCounts(usage: ReportedUsage | undefined): Counts {
  if (usage === undefined || usage === null) return NO_COUNTS;
  const { inputTokens, outputTokens } = usage;
  return {
    input: typeof inputTokens === 'object' ? inputTokens?.total : inputTokens,
    output: typeof outputTokens === 'object' ? outputTokens?.total : outputTokens,
    cached:
      typeof inputTokens === 'object'
        ? inputTokens?.cacheRead
        : 'cachedInputTokens' in usage
          ? usage.cachedInputTokens
          : undefined,
    cacheWrite: typeof inputTokens === 'object' ? inputTokens?.cacheWrite : undefined,
  };
}

function plausible(count: number | undefined, max: number): count is number {
  return count !== undefined && Number.isFinite(count) && count > 0 && count <= max;
}

function plausibleOutput(count: number | undefined, request: ModelRequest, reply: ReplyText): count is number {
  if (count === 0) return reply.text === '' && reply.reasoning === '';
  return plausible(count, request.maxOutputTokens * 4 + HIDDEN_OUTPUT_TOKENS);
}

function maxInput(request: ModelRequest): number {
  let units = 0;
  for (const message of request.messages) units += message.content.length;
  // A UTF-16 unit is at most three UTF-8 bytes. The tokens of images are an upper bound, by rules that may change.
  return units * 3 + 4 * (request.imageTokens ?? 0) + HIDDEN_INPUT_TOKENS;
}
