import type { Clock } from '../clock.ts';
import type { AttemptSetup } from './attempt-setup.ts';
import { type AttemptWatch, type WireFacts, watchAttempt } from './attempt-watch.ts';
import { classifyFailure } from './classify.ts';
import { type Collected, toReply } from './collected-reply.ts';
import type { ModelError } from './model-error.ts';
import type { ModelReply, ModelRequest } from './port.ts';
import { replyFilters } from './redact.ts';
import { openStream, type ReplyPart, readPart } from './stream.ts';
import { estimateUsage, settleUsage } from './usage.ts';
import { LINGER_MS } from './wire/wire-body.ts';

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

/**
 * For a body that broke off, the wire's own error says more than the SDK's; an error that the provider sent before says
 * most.
 */
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
    // A stream that has announced its end needs no cancel, and reading on costs less.
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
  await watch.confirm();
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

/** Takes the text that the filters held back in case a key continued. */
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

/** The reply ended with an error of the provider, or of the server behind it: the received text is only a part of it. */
function brokenOff(setup: AttemptSetup, { text, choiceError }: Collected, wire: WireFacts): ModelError {
  const error = classifyFailure(choiceError, setup, wire);
  return error.with({
    message: `${error.message} The reply had broken off after ${text.length} characters.`,
    possiblyBilled: true,
    data: { received: text.length },
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
