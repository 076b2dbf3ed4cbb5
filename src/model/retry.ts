import type { AttemptStart, ModelCall, RetryPolicy } from './call.ts';
import type { Adaptation } from './endpoint/refusal.ts';
import { learnInput } from './estimate-tokens.ts';
import type { ModelError } from './model-error.ts';

/** Full jitter, base 0.5 s, cap 60 s; five attempts span some ten seconds, which outlasts a restart behind a proxy. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxAttempts: 5,
  maxRefusals: 20,
  unreachableMs: 30_000,
  baseMs: 500,
  capMs: 60_000,
};

/**
 * Milliseconds before the next attempt: full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), never
 * less than the provider asked for, and never less than a fifth of the base.
 *
 * @param failures attempts that failed so far, at least 1
 * @param random in [0, 1)
 */
function backoffMs(policy: RetryPolicy, failures: number, error: ModelError, random: () => number): number {
  const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(failures - 1, 30));
  const floor = policy.baseMs / 5;
  const jittered = floor + random() * Math.max(0, ceiling - floor);
  if (error.retryAfterMs === undefined) return jittered;
  // The provider asked for a wait: at least that long, and not all calls at the same moment after it.
  return Math.max(error.retryAfterMs + random() * floor, floor);
}

/** Attempts to reach a server that has not answered in this tree. */
const FIRST_CONTACT_ATTEMPTS = 2;
/** Times one call is sent again because its endpoint refused the form of the request. */
const MAX_ADAPTATIONS = 4;
/** The least output tokens that a call asks for when a window limits it. */
export const LEAST_OUTPUT_TOKENS = 256;

/** A call while its attempts are made. */
export interface CallState {
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
  /** Attempts that were repeated in another form, as the endpoint wants it. */
  adaptations: number;
  /** Attempts that ended before the first byte of a reply. */
  silences: number;
  /** Most output tokens the next attempts ask for. */
  outputCap: number;
  /** Milliseconds of `callTimeoutMs` used; waiting for a slot does not count. */
  activeMs: number;
}

/** Milliseconds until the next attempt, or undefined when there is to be none. */
export function planRetry(state: CallState, error: ModelError, sent: AttemptStart): number | undefined {
  const { call, policy } = state;
  if (call.mayRepeat?.() === false) return undefined;
  if (!error.retryable || state.control.signal.aborted) return undefined;
  if (error.adaptation !== undefined) return adapts(state, error.adaptation, sent) ? 0 : undefined;
  if (!mayRepeat(state, error)) return undefined;
  const wait = backoffMs(policy, Math.max(1, state.failures + state.refusals), error, state.random);
  const restOfRun = Math.min(call.deadline, call.sendBy ?? call.deadline) - call.clock.now();
  // A wait that the provider asked for uses up the run's time and not the call's own.
  const restOfCall =
    error.fault === 'rate-limit' ? Number.POSITIVE_INFINITY : call.limits.callTimeoutMs - state.activeMs;
  if (wait >= Math.min(restOfRun, restOfCall)) return undefined;
  return wait;
}

/** True when the call is to be sent again in the form that the endpoint wants. */
function adapts(state: CallState, adaptation: Adaptation, sent: AttemptStart): boolean {
  state.adaptations += 1;
  if (state.adaptations > MAX_ADAPTATIONS) return false;
  if (adaptation.kind === 'max-output') state.outputCap = Math.min(state.outputCap, adaptation.tokens);
  if (adaptation.kind !== 'window') return true;
  const { inputTokens = 0, tokens } = adaptation;
  const { model, request } = state.call;
  if (inputTokens > 0) learnInput(model, request.messages, inputTokens);
  // Servers count the input only up to the size they refuse at: after a second refusal half as much is asked for.
  const left = tokens - Math.max(inputTokens, sent.estimatedInputTokens);
  const halved = state.adaptations > 1 ? Math.floor(sent.maxOutputTokens / 2) : Number.POSITIVE_INFINITY;
  state.outputCap = Math.min(state.outputCap, halved, Math.max(left, LEAST_OUTPUT_TOKENS));
  return state.outputCap < sent.maxOutputTokens;
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
      // A server that has not answered anything in this tree is likely to be down or misspelt: its user should know soon.
      if (!call.gate.reached(call.model)) return state.failures < FIRST_CONTACT_ATTEMPTS;
      return call.clock.now() - state.unreachableSince < policy.unreachableMs;
    }
    case 'web-page':
      state.failures += 1;
      // The address is wrong, or a login page is in between; a server that has answered before may only be starting again.
      return call.gate.reached(call.model) && state.failures < policy.maxAttempts;
    case 'not-an-api':
      state.failures += 1;
      return state.failures < (call.gate.reached(call.model) ? policy.maxAttempts : FIRST_CONTACT_ATTEMPTS);
    case 'idle':
      state.failures += 1;
      if (error.data.begun === false) state.silences += 1;
      return state.failures < policy.maxAttempts;
    case 'empty':
      state.failures += 1;
      state.empties += 1;
      return state.empties < 2;
    default:
      state.failures += 1;
      return state.failures < policy.maxAttempts;
  }
}

export function giveUp(error: ModelError, attempts: number): ModelError {
  // A thousand calls may be cancelled at once: no second error for each.
  if (error.fault === 'cancelled') return error;
  if (error.adaptation !== undefined) {
    return error.with({ retryable: false, data: { attempts } }, 'adaptation');
  }
  const message =
    error.retryable && attempts > 1 ? `${error.message} Gave up after ${attempts} attempts.` : error.message;
  return error.with({ message, data: { attempts } });
}
