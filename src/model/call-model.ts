import { keepAlive } from '../clock.ts';
import { defined } from '../defined.ts';
import { RlmError } from '../errors.ts';
import type { CallAccount, Reservation } from './account.ts';
import { abortError, seconds } from './attempt-watch.ts';
import type { AttemptRecord, AttemptStart, ModelCall } from './call.ts';
import { estimateInput, learnInput } from './estimate-tokens.ts';
import { imageTokensIn } from './image-rules.ts';
import { ModelError } from './model-error.ts';
import type { CallUsage, Model, ModelReply } from './port.ts';
import type { GateSlot } from './rate/call-gate.ts';
import { type CallState, DEFAULT_RETRY_POLICY, giveUp, LEAST_OUTPUT_TOKENS, planRetry } from './retry.ts';

/** Milliseconds to the first byte from a server elsewhere, where no limit says otherwise. */
const FIRST_BYTE_MS = 120_000;
/** Share of a window that is left free, because prompts are estimated. */
const WINDOW_MARGIN = 0.01;
/** A prompt is too long for a measured window when it exceeds it by this much: estimates may be too high by a third. */
const SURELY_TOO_LONG = 4 / 3;

const NOTHING_USED: CallUsage = { inputTokens: 0, outputTokens: 0, estimated: false };

/**
 * One model call: reserves, waits for a slot, sends, settles, and repeats what may succeed unchanged, holding no slot
 * and no reservation while it waits.
 *
 * @throws ModelError when it gave up; `data.attempts` says after how many attempts
 * @throws the signal's reason when it was aborted with a Fathom error
 * @throws BudgetError from the account, before anything is sent
 */
export async function callModel(call: ModelCall): Promise<ModelReply> {
  const state: CallState = {
    call,
    policy: call.retry === undefined ? DEFAULT_RETRY_POLICY : { ...DEFAULT_RETRY_POLICY, ...call.retry },
    random: call.random ?? Math.random,
    control: new AbortController(),
    attempts: 0,
    failures: 0,
    refusals: 0,
    empties: 0,
    unreachableSince: undefined,
    adaptations: 0,
    silences: 0,
    outputCap: call.request.maxOutputTokens,
    activeMs: 0,
  };
  const { signal } = call;
  const onAbort = (): void => state.control.abort(abortError(call.model.id, signal.reason));
  if (signal.aborted) throw abortError(call.model.id, signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const release = keepAlive();
  try {
    if (call.model.prepare !== undefined) await call.model.prepare();
    return await runAttempts(state);
  } catch (error) {
    // A caller who cancelled with an error of their own gets that error back.
    if (signal.aborted && RlmError.isInstance(signal.reason) && wasCancelled(error)) throw signal.reason;
    throw error;
  } finally {
    release();
    signal.removeEventListener('abort', onAbort);
  }
}

function wasCancelled(error: unknown): boolean {
  return ModelError.isInstance(error) && error.fault === 'cancelled';
}

async function runAttempts(state: CallState): Promise<ModelReply> {
  for (;;) {
    const { reply, error, retryInMs } = await runAttempt(state);
    if (reply !== undefined) return reply;
    if (retryInMs === undefined) throw giveUp(error, state.attempts);
    await sleep(state, retryInMs);
  }
}

type AttemptResult =
  | { readonly reply: ModelReply; readonly error?: never; readonly retryInMs?: never }
  | { readonly reply?: never; readonly error: ModelError; readonly retryInMs: number | undefined };

async function runAttempt(state: CallState): Promise<AttemptResult> {
  const { call } = state;
  const { model, request, clock } = call;
  const estimatedInputTokens = estimateInput(model, request.messages);
  const maxOutputTokens = outputRoom(state, estimatedInputTokens);
  const estimate = { model, inputTokens: estimatedInputTokens, maxOutputTokens };
  const held = await admit(state, estimate);
  state.attempts += 1;
  const start: AttemptStart = {
    attempt: state.attempts,
    model,
    estimatedInputTokens,
    maxOutputTokens,
    sentAt: clock.now(),
  };
  await announce(state, held);
  const outcome = await send(state, held, maxOutputTokens);
  const elapsedMs = clock.now() - start.sentAt;
  state.activeMs += elapsedMs;
  const usage = outcome.ok ? outcome.reply.usage : (outcome.error.usage ?? NOTHING_USED);
  const possiblyBilled = !outcome.ok && outcome.error.possiblyBilled;
  held.reservation.settle({ usage, possiblyBilled });
  held.slot.leave(outcome.ok ? undefined : outcome.error);
  if (!usage.estimated && usage.inputTokens > 0) learnInput(model, request.messages, usage.inputTokens);
  const retryInMs = outcome.ok ? undefined : planRetry(state, outcome.error, start);
  await call.onAttempt?.({ ...start, outcome, usage, possiblyBilled, elapsedMs, retryInMs });
  return outcome.ok ? { reply: outcome.reply } : { error: outcome.error, retryInMs };
}

/**
 * The maximum of output tokens of the next attempt: as asked for, within what the endpoint allows and its window leaves.
 *
 * @throws ModelError `context-length` when the prompt surely exceeds a window that was measured, or leaves no room
 */
function outputRoom({ call, outputCap }: CallState, inputTokens: number): number {
  const { model } = call;
  const most = Math.min(outputCap, model.maxOutputTokens ?? Number.POSITIVE_INFINITY);
  const window = model.contextTokens;
  if (model.contextIsMeasured !== true || window === undefined) return most;
  const least = Math.min(most, LEAST_OUTPUT_TOKENS);
  if (inputTokens > window * SURELY_TOO_LONG) throw tooLong(model, inputTokens, window);
  return Math.max(least, Math.min(most, window - inputTokens - Math.ceil(window * WINDOW_MARGIN)));
}

function tooLong(model: Model, size: number, limit: number): ModelError {
  return new ModelError({
    fault: 'context-length',
    message:
      `The prompt of about ${size} tokens does not fit into the window of ${limit} tokens with which ${model.id} runs: ` +
      'send less or split it, or start the server with a larger window (Ollama: OLLAMA_CONTEXT_LENGTH or num_ctx).',
    data: { size, limit },
  });
}

interface Held {
  readonly reservation: Reservation;
  readonly slot: GateSlot;
}

/** Money first, then the slot: a call that cannot be paid does not take a turn. */
async function admit(state: CallState, estimate: Parameters<CallAccount['reserve']>[0]): Promise<Held> {
  const { account, gate, model, sendBy = Number.POSITIVE_INFINITY } = state.call;
  const deadline = Math.min(state.call.deadline, sendBy);
  const reservation = await account.reserve(estimate, state.control.signal);
  try {
    const tokens = estimate.inputTokens + estimate.maxOutputTokens;
    const slot = await gate.enter(model, { signal: state.control.signal, deadline, tokens });
    return { reservation, slot };
  } catch (error) {
    reservation.release();
    throw error;
  }
}

/** The attempt is recorded before it is sent. Where it cannot be, or was cancelled meanwhile, it is not sent. */
async function announce({ call, control }: CallState, { reservation, slot }: Held): Promise<void> {
  if (reservation.sending === undefined) return;
  try {
    await reservation.sending();
    if (control.signal.aborted) throw abortError(call.model.id, control.signal.reason);
  } catch (error) {
    reservation.release();
    slot.leave(undefined);
    throw error;
  }
}

async function send(
  state: CallState,
  { slot, reservation: { confirm } }: Held,
  maxOutputTokens: number,
): Promise<AttemptRecord['outcome']> {
  const { call, control } = state;
  const cancelTimer = armDeadline(state);
  try {
    const reply = await call.model.attempt({
      messages: call.request.messages,
      imageTokens: imageTokensIn(call.model, call.request.messages),
      maxOutputTokens,
      signal: control.signal,
      idleTimeoutMs: call.limits.callIdleTimeoutMs,
      firstByteTimeoutMs: firstByteTimeoutMs(state),
      ...defined({ settings: call.request.settings, confirm }),
      ...(call.request.readText === undefined ? {} : { onText: call.request.readText() }),
      onHeaders: slot.observe,
    });
    return { ok: true, reply };
  } catch (error) {
    return { ok: false, error: asModelError(error, call.model.id) };
  } finally {
    cancelTimer?.();
  }
}

/** A local server may read a long prompt for minutes, and one that was silent before is given twice the time. */
function firstByteTimeoutMs({ call, silences }: CallState): number {
  const { callFirstByteTimeoutMs, callTimeoutMs } = call.limits;
  const most = callFirstByteTimeoutMs ?? (call.model.local === true ? callTimeoutMs : FIRST_BYTE_MS);
  return most * 2 ** silences;
}

function asModelError(error: unknown, modelId: string): ModelError {
  if (ModelError.isInstance(error)) return error;
  return new ModelError({ fault: 'unknown', message: `${modelId} failed: ${String(error)}`, cause: error });
}

/** Ends the attempt when the call's own time or the run's time is up. */
function armDeadline(state: CallState): (() => void) | undefined {
  const { call, control } = state;
  const own = Math.max(0, call.limits.callTimeoutMs - state.activeMs);
  const rest = Math.max(0, call.deadline - call.clock.now());
  if (!Number.isFinite(own) && !Number.isFinite(rest)) return undefined;
  return call.clock.schedule(Math.min(own, rest), () => {
    const ofRun = rest <= own;
    const message = ofRun
      ? `The call of ${call.model.id} was ended: the time of its run is up.`
      : `The call of ${call.model.id} took longer than callTimeoutMs = ${seconds(call.limits.callTimeoutMs)}.`;
    control.abort(new ModelError({ fault: 'deadline', message, data: { ofRun } }));
  });
}

function sleep(state: CallState, milliseconds: number): Promise<void> {
  const { signal } = state.control;
  const { clock } = state.call;
  const from = clock.now();
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      reject(abortError(state.call.model.id, signal.reason));
    };
    const cancel = clock.schedule(milliseconds, () => {
      signal.removeEventListener('abort', onAbort);
      state.activeMs += clock.now() - from;
      resolve();
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
