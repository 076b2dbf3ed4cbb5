import type { Clock } from '../../clock.ts';
import type { ModelError } from '../model-error.ts';
import type { GatePass, GateSlot } from './call-gate.ts';
import { createModelCircuit, type HostCircuits } from './circuit-breaker.ts';
import { createHeaderLimits } from './header-limits.ts';
import { createOverload } from './overload.ts';
import { createRateLearner } from './rate-learner.ts';
import { createStartWindow } from './start-window.ts';

/** The options of {@link createSendControl}. */
export interface SendSetup {
  /** The model is behind a wire, with a provider that may refuse a burst. */
  readonly remote: boolean;
  /** Of the first ones; see `createStartWindow`. */
  readonly sendsPerMs?: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly coolDownMs: number;
  readonly hostCircuits: HostCircuits;
  /** The order of the newest tree. */
  readonly newestTree: () => number;
}

/** Everything that decides whether an attempt may be sent now, apart from whose turn it is. */
export interface SendControl {
  /** The host that could not be reached last. */
  readonly host: string | undefined;
  /** Worst case in tokens of the attempt sent last: what the next is taken for. */
  readonly lastTokens: number;
  /** The error that keeps trees up to this order out. */
  refusal(treeOrder: number): ModelError | undefined;
  /** Milliseconds until an attempt may be sent; `Infinity` until one in flight ends or `pump` is called. */
  delayMs(now: number, tokens: number): number;
  sent(pass: GatePass, now: number): SentAttempt;
}

/** An attempt in flight. */
export interface SentAttempt {
  readonly observe: GateSlot['observe'];
  /** The attempt is over; the error with which the gate closed, if it did. */
  left(error: ModelError | undefined): ModelError | undefined;
}

interface Parts {
  readonly setup: SendSetup;
  readonly learner: ReturnType<typeof createRateLearner>;
  readonly limits: ReturnType<typeof createHeaderLimits>;
  readonly overload: ReturnType<typeof createOverload>;
  readonly modelCircuit: ReturnType<typeof createModelCircuit>;
  readonly startWindow: ReturnType<typeof createStartWindow>;
  readonly state: { inFlight: number; sent: number; complainedAt: number; heldUntil: number; host: string | undefined };
}

/** Milliseconds nothing is sent after a refusal's status, until the refusal itself has been read. */
const HOLD_MS = 20;

/** @param pump called when `delayMs` said `Infinity` and time alone has changed that */
export function createSendControl(setup: SendSetup, pump: () => void): SendControl {
  const parts: Parts = {
    setup,
    learner: createRateLearner(),
    limits: createHeaderLimits(),
    overload: createOverload(setup.random, setup.coolDownMs),
    modelCircuit: createModelCircuit(setup.clock),
    startWindow: createStartWindow(setup.clock, setup),
    state: { inFlight: 0, sent: 0, complainedAt: 0, heldUntil: 0, host: undefined },
  };
  const { state, startWindow, modelCircuit } = parts;
  let lastTokens = 0;
  return {
    get host() {
      return state.host;
    },
    get lastTokens() {
      return lastTokens;
    },
    refusal: modelCircuit.refusal,
    delayMs(now, tokens) {
      if (state.inFlight < Math.min(parts.overload.limit, startWindow.limit)) return delayMs(parts, now, tokens);
      if (state.inFlight >= startWindow.limit) startWindow.filled(pump);
      return Number.POSITIVE_INFINITY;
    },
    sent(pass, now) {
      lastTokens = pass.tokens;
      return send(parts, pass.tokens, now);
    },
  };
}

function delayMs({ setup, learner, limits, overload, startWindow, state }: Parts, now: number, tokens: number): number {
  const verdict = setup.hostCircuits.verdict(state.host);
  if (verdict.kind === 'refuse') return Number.POSITIVE_INFINITY;
  const reachable = verdict.kind === 'wait' ? verdict.ms : 0;
  const paced = Math.max(startWindow.delayMs(now), learner.delayMs(now), limits.delayMs(now, tokens));
  return Math.max(0, reachable, paced, state.heldUntil - now, overload.until - now);
}

function send(parts: Parts, tokens: number, now: number): SentAttempt {
  const { setup, learner, limits, startWindow, state } = parts;
  state.inFlight += 1;
  state.sent += 1;
  setup.hostCircuits.sent(state.host);
  startWindow.sent(now);
  const ordinal = learner.sent(now);
  const mark = limits.sent(tokens, now);
  return {
    observe(headers, status = 200) {
      const heard = setup.clock.now();
      limits.observe(headers, mark, heard);
      if (status === 429 || status === 503 || status === 529) state.heldUntil = heard + HOLD_MS;
    },
    left(error) {
      state.inFlight -= 1;
      limits.left(mark);
      if (error !== undefined) return failed(parts, error, { ordinal, sentAt: now });
      parts.modelCircuit.reset();
      parts.overload.succeeded();
      setup.hostCircuits.answered(state.host);
      return undefined;
    },
  };
}

interface SendMoment {
  readonly ordinal: number;
  readonly sentAt: number;
}

function failed(parts: Parts, error: ModelError, moment: SendMoment): ModelError | undefined {
  const { setup, state } = parts;
  const host = error.data.host;
  if (typeof host === 'string') state.host = host;
  if (error.fault === 'unreachable' && state.host !== undefined) setup.hostCircuits.failed(state.host, error);
  else setup.hostCircuits.answered(state.host);
  if (error.fault === 'rate-limit' || error.fault === 'overloaded') complained(parts, error, moment);
  return parts.modelCircuit.consider(error, setup.newestTree());
}

function complained(parts: Parts, error: ModelError, { ordinal, sentAt }: SendMoment): void {
  const { setup, learner, limits, overload, startWindow, state } = parts;
  // A provider that reports its limits in headers needs no estimate.
  const guess = error.fault === 'rate-limit' && !limits.known;
  const news = guess ? learner.refused(ordinal, sentAt) : ordinal > state.complainedAt;
  if (news) state.complainedAt = state.sent;
  startWindow.end();
  overload.complained(error, { news, inFlight: state.inFlight + 1, now: setup.clock.now(), rate: learner.rate });
  learner.pause(overload.until);
}
