import type { Clock } from '../clock.ts';
import { type AttemptWatch, type WireFacts, watchAttempt } from './attempt-watch.ts';
import { classifyFailure } from './classify.ts';
import { estimateMessages } from './estimate-tokens.ts';
import { ModelError } from './model-error.ts';
import type { FinishReason, LanguageModel, ModelReply, ModelRequest, ReplyNotice, ToolCall } from './port.ts';
import { type ReplyFilters, replyFilters } from './redact.ts';
import { type FinishReport, openStream, type ReplyPart, readPart } from './stream.ts';
import { estimateUsage, type ReplyText, settleUsage } from './usage.ts';
import { LINGER_MS } from './wire/wire-body.ts';

/** Facts about a provider for its error messages: which setting to look at. */
export interface ProviderAdvice {
  /** The environment variable that holds the key. */
  readonly keyVariable: string | undefined;
  readonly baseUrl: string;
  /** The environment variable that names a proxy for this server. */
  readonly proxy: string | undefined;
  /** How to start the server, as a question and a command. */
  readonly start: string | undefined;
}

/** What one attempt needs besides its request. */
export interface AttemptSetup {
  readonly modelId: string;
  readonly clock: Clock;
  /** The AI SDK model to call; models of our own registry bind their fetch to this attempt's watch. */
  readonly open: (watch: AttemptWatch) => LanguageModel | Promise<LanguageModel>;
  /** Removes what must not be seen, such as keys, from a provider's text. */
  readonly redact: (text: string) => string;
  readonly advice?: ProviderAdvice | undefined;
  /** Keys that no reply may repeat. */
  readonly secrets?: readonly string[] | undefined;
}

interface Collected extends ReplyText {
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
 * One attempt over the wire, streamed. Every failure comes out as a {@link ModelError} with the usage it is booked with.
 *
 * @throws ModelError
 */
export async function attemptCall(setup: AttemptSetup, request: ModelRequest): Promise<ModelReply> {
  const watch = watchAttempt(setup.modelId, request, setup.clock);
  const collected = nothingYet(setup.secrets);
  try {
    if (watch.failure !== undefined) throw watch.failure;
    await collect(setup, request, watch, collected);
    if (collected.choiceError !== undefined) throw brokenOff(setup, collected, watch.wire);
    return toReply(setup.modelId, request, collected, watch.wire);
  } catch (error) {
    throw account(watch.failure ?? failureOf(error, setup, watch.wire), request, collected, watch);
  } finally {
    watch.close(collected.ended);
  }
}

/** What the SDK makes of a lost body says less than what it was lost by; an error the provider sent before says more. */
function failureOf(error: unknown, setup: AttemptSetup, wire: WireFacts): ModelError {
  const failure = classifyFailure(error, setup, wire);
  return failure.fault === 'truncated' ? (wire.lost ?? failure) : failure;
}

function nothingYet(secrets: readonly string[] = []): Collected {
  const filters = replyFilters(secrets);
  const [finish, choiceError] = [undefined, undefined];
  return { text: '', reasoning: '', filters, finish, stopped: false, ended: false, toolCalls: [], choiceError };
}

async function collect(
  setup: AttemptSetup,
  request: ModelRequest,
  watch: AttemptWatch,
  collected: Collected,
): Promise<void> {
  const stream = await unlessFailed(watch, start(setup, request, watch));
  const reader = stream.getReader();
  // A cancelled reader ends the pending read; a stream that ignores the cancel is left behind.
  watch.onFailure(() => void reader.cancel().catch(ignore));
  for (;;) {
    const { done, value } = await reader.read();
    if (watch.failure !== undefined) throw watch.failure;
    if (done) {
      takeRest(request, collected);
      return;
    }
    watch.touch();
    if (!take(readPart(value), request, collected)) continue;
    // A stream that said it is at its end has nothing to be told; reading on costs less than cancelling.
    void (collected.ended ? drain(reader, setup.clock) : reader.cancel()).catch(ignore);
    return;
  }
}

/** Lets the provider end its stream, but not hold the connection by not doing so. */
async function drain(reader: ReadableStreamDefaultReader<unknown>, clock: Clock): Promise<void> {
  const cancelTimer = clock.schedule(LINGER_MS, () => void reader.cancel().catch(ignore));
  const { done } = await reader.read().finally(cancelTimer);
  if (!done) await reader.cancel();
}

async function start(
  setup: AttemptSetup,
  request: ModelRequest,
  watch: AttemptWatch,
): Promise<ReadableStream<unknown>> {
  const opened = setup.open(watch);
  const model = opened instanceof Promise ? await opened : opened;
  watch.wire.sent = true;
  return openStream(model, request, watch.signal);
}

/** Waits for `work`, but not longer than until the watch fails. */
function unlessFailed<T>(watch: AttemptWatch, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    work.then(resolve, reject);
    watch.onFailure(reject);
  });
}

/** Adds one part to what was collected; true when the reply is complete. */
function take(part: ReplyPart | undefined, request: ModelRequest, collected: Collected): boolean {
  if (part === undefined) return false;
  switch (part.kind) {
    case 'text':
      return takeText(collected.filters.text.push(part.delta), request, collected);
    case 'reasoning':
      collected.reasoning += collected.filters.reasoning.push(part.delta);
      return false;
    case 'tool-call':
      collected.toolCalls.push({ ...part.call, arguments: collected.filters.whole(part.call.arguments) });
      return false;
    case 'choice-error':
      collected.choiceError ??= part.error;
      return false;
    case 'finish':
      takeRest(request, collected);
      collected.finish = { ...part.finish, raw: part.finish.raw && collected.filters.whole(part.finish.raw) };
      // A whole reply need not wait for the provider to close its stream.
      collected.ended = part.finish.reason !== 'missing' && part.finish.reason !== 'error';
      return collected.ended;
    case 'error':
      throw part.error;
  }
}

/** What the filters held back in case the key went on. */
function takeRest(request: ModelRequest, collected: Collected): void {
  collected.reasoning += collected.filters.reasoning.end();
  const rest = collected.filters.text.end();
  if (rest !== '') takeText(rest, request, collected);
}

function takeText(delta: string, request: ModelRequest, collected: Collected): boolean {
  const last = delta === '' ? undefined : request.onText?.(delta);
  collected.text += last === undefined ? delta : delta.slice(0, last);
  collected.stopped = last !== undefined;
  return collected.stopped;
}

function toReply(modelId: string, request: ModelRequest, collected: Collected, wire: WireFacts): ModelReply {
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
    data: { received: text.length, ...(finish?.raw === undefined ? {} : { finishReason: finish.raw }) },
  });
}

/** The reply ended with an error of the provider, or of the server behind it: the received text is only a part of it. */
function brokenOff(setup: AttemptSetup, { text, choiceError }: Collected, wire: WireFacts): ModelError {
  const error = classifyFailure(choiceError, setup, wire);
  return error.with({
    message: `${error.message} The reply had broken off after ${text.length} characters.`,
    possiblyBilled: true,
    data: { received: text.length },
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
    data: { ...(raw === undefined ? {} : { finishReason: raw }), partial: text.slice(0, 500) },
  });
}

function empty(modelId: string, reason: string, maxOutputTokens: number): ModelError {
  const cutOff = reason === 'length';
  return new ModelError({
    fault: 'empty',
    message: cutOff
      ? `${modelId} used up its ${maxOutputTokens} output tokens without any text; allow it more output tokens.`
      : `${modelId} gave an empty reply.`,
    // The same request would run into the same limit.
    retryable: !cutOff,
    data: { finishReason: reason },
  });
}

/** Books a failed attempt: the provider's counts, else an estimate wherever the provider may have charged. */
function account(error: ModelError, request: ModelRequest, collected: Collected, watch: AttemptWatch): ModelError {
  if (error.usage !== undefined) return error;
  if (collected.finish !== undefined && error.fault !== 'truncated') {
    return error.with({ usage: settleUsage(collected.finish.usage, request, collected) });
  }
  const ended = error.fault === 'cancelled' || error.fault === 'deadline';
  const billed = error.possiblyBilled || (ended && watch.wire.sent);
  return billed ? error.with({ usage: estimateUsage(request, collected), possiblyBilled: true }) : error;
}

function ignore(): void {}
