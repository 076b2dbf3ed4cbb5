import type { Clock } from '../clock.ts';
import { RlmError } from '../errors.ts';
import type { CallAccount, Reservation } from '../ledger/account.ts';
import type { Limits } from '../limits.ts';
import { abortError, seconds } from './attempt-watch.ts';
import { backoffMs, DEFAULT_RETRY_POLICY, type RetryPolicy } from './backoff.ts';
import { estimateInput, learnInput } from './estimate-tokens.ts';
import { keepAlive } from './keep-alive.ts';
import { ModelError } from './model-error.ts';
import type { CallUsage, ChatMessage, Model, ModelReply, TextReader } from './port.ts';
import type { CallGate, GateSlot } from './rate/call-gate.ts';

/** What a call asks for; the retry layer adds signal and timeouts. */
export interface CallRequest {
  readonly messages: readonly ChatMessage[];
  readonly maxOutputTokens: number;
  /** Makes what reads the text of an attempt: a retried one starts from the beginning. */
  readonly readText?: () => TextReader;
}

/** One attempt that is about to be sent. */
export interface AttemptStart {
  /** 1 for the first attempt of the call. */
  readonly attempt: number;
  readonly model: Model;
  readonly estimatedInputTokens: number;
  readonly maxOutputTokens: number;
  /** Milliseconds since the Unix epoch. */
  readonly sentAt: number;
}

/** What an attempt came to: one record per model round trip. */
export interface AttemptRecord extends AttemptStart {
  readonly outcome:
    | { readonly ok: true; readonly reply: ModelReply }
    | { readonly ok: false; readonly error: ModelError };
  /** As booked. All zero when nothing was used. */
  readonly usage: CallUsage;
  readonly possiblyBilled: boolean;
  readonly elapsedMs: number;
  /** Milliseconds until the next attempt; undefined when there is none. */
  readonly retryInMs: number | undefined;
}

/** One model call with all its attempts. */
export interface ModelCall {
  readonly model: Model;
  readonly request: CallRequest;
  /** Every attempt is paid from here. */
  readonly account: CallAccount;
  /** The lane of the calling completion (`CallTree.lane`). */
  readonly gate: CallGate;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch after which nothing of this call may run. `Infinity` for none. */
  readonly deadline: number;
  /** Milliseconds since the Unix epoch after which no attempt is sent any more. Default: the deadline. */
  readonly sendBy?: number | undefined;
  readonly limits: Pick<Limits, 'callTimeoutMs' | 'callIdleTimeoutMs'>;
  readonly signal: AbortSignal;
  /** Awaited after each attempt, whatever came of it, and after it was settled. */
  readonly onAttempt?: (attempt: AttemptRecord) => void | Promise<void>;
  readonly retry?: Partial<RetryPolicy>;
  /** In [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

interface CallState {
  readonly call: ModelCall;
  readonly policy: RetryPolicy;
  readonly random: () => number;
  readonly control: AbortController;
  attempts: number;
  /** Attempts that failed for reasons of their own, by rate limit, by an empty reply. */
  failures: number;
  refusals: number;
  empties: number;
  unreachableSince: number | undefined;
  /** Milliseconds of `callTimeoutMs` used; waiting for a slot does not count. */
  activeMs: number;
}

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
    // Whoever cancelled with an error of their own gets that one back.
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
  const estimate = { model, inputTokens: estimatedInputTokens, maxOutputTokens: request.maxOutputTokens };
  const held = await admit(state, estimate);
  state.attempts += 1;
  const start: AttemptStart = {
    attempt: state.attempts,
    model,
    estimatedInputTokens,
    maxOutputTokens: request.maxOutputTokens,
    sentAt: clock.now(),
  };
  await announce(held);
  const outcome = await send(state, held.slot);
  const elapsedMs = clock.now() - start.sentAt;
  state.activeMs += elapsedMs;
  const usage = outcome.ok ? outcome.reply.usage : (outcome.error.usage ?? NOTHING_USED);
  const possiblyBilled = !outcome.ok && outcome.error.possiblyBilled;
  held.reservation.settle({ usage, possiblyBilled });
  held.slot.leave(outcome.ok ? undefined : outcome.error);
  if (!usage.estimated && usage.inputTokens > 0) learnInput(model, request.messages, usage.inputTokens);
  const retryInMs = outcome.ok ? undefined : planRetry(state, outcome.error);
  await call.onAttempt?.({ ...start, outcome, usage, possiblyBilled, elapsedMs, retryInMs });
  return outcome.ok ? { reply: outcome.reply } : { error: outcome.error, retryInMs };
}

interface Held {
  readonly reservation: Reservation;
  readonly slot: GateSlot;
}

/** Money first, then the slot: a call that cannot be paid takes nobody's turn. */
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

/** The attempt goes on record before it is sent; when it cannot, it is not sent. */
async function announce({ reservation, slot }: Held): Promise<void> {
  if (reservation.sending === undefined) return;
  try {
    await reservation.sending();
  } catch (error) {
    reservation.release();
    slot.leave(undefined);
    throw error;
  }
}

async function send(state: CallState, slot: GateSlot): Promise<AttemptRecord['outcome']> {
  const { call, control } = state;
  const cancelTimer = armDeadline(state);
  try {
    const reply = await call.model.attempt({
      messages: call.request.messages,
      maxOutputTokens: call.request.maxOutputTokens,
      signal: control.signal,
      idleTimeoutMs: call.limits.callIdleTimeoutMs,
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
    const message =
      rest < own
        ? `The call of ${call.model.id} was ended: the time of its run is up.`
        : `The call of ${call.model.id} took longer than callTimeoutMs = ${seconds(call.limits.callTimeoutMs)}.`;
    control.abort(new ModelError({ fault: 'deadline', message }));
  });
}

/** Milliseconds until the next attempt, or undefined when there is to be none. */
function planRetry(state: CallState, error: ModelError): number | undefined {
  const { call, policy } = state;
  if (!error.retryable || state.control.signal.aborted) return undefined;
  if (!mayRepeat(state, error)) return undefined;
  const wait = backoffMs(policy, Math.max(1, state.failures + state.refusals), error, state.random);
  const restOfRun = Math.min(call.deadline, call.sendBy ?? call.deadline) - call.clock.now();
  // Waiting as told does not use up the call's own time, only the run's.
  const restOfCall =
    error.fault === 'rate-limit' ? Number.POSITIVE_INFINITY : call.limits.callTimeoutMs - state.activeMs;
  if (wait >= Math.min(restOfRun, restOfCall)) return undefined;
  return wait;
}

function mayRepeat(state: CallState, error: ModelError): boolean {
  const { policy, call } = state;
  switch (error.fault) {
    case 'rate-limit':
      state.refusals += 1;
      return state.refusals < policy.maxRefusals;
    case 'unreachable': {
      state.failures += 1;
      state.unreachableSince ??= call.clock.now();
      return call.clock.now() - state.unreachableSince < policy.unreachableMs;
    }
    case 'empty':
      state.failures += 1;
      state.empties += 1;
      return state.empties < 2;
    default:
      state.failures += 1;
      return state.failures < policy.maxAttempts;
  }
}

function giveUp(error: ModelError, attempts: number): ModelError {
  // A thousand calls may be cancelled at once: no second error for each.
  if (error.fault === 'cancelled') return error;
  const message =
    error.retryable && attempts > 1 ? `${error.message} Gave up after ${attempts} attempts.` : error.message;
  return error.with({ message, data: { attempts } });
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
