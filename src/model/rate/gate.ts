import type { Clock } from '../../clock.ts';
import { abortError } from '../attempt-watch.ts';
import type { ModelError } from '../model-error.ts';
import type { GatePass, GateSlot } from './call-gate.ts';
import { createClosure } from './closure.ts';
import { createHeaderLimits } from './header-limits.ts';
import type { Hosts } from './hosts.ts';
import { createOverload } from './overload.ts';
import { createPacer } from './pacer.ts';
import { createWaiter, type Waiter } from './queue-waiter.ts';
import { createStartWindow } from './start-window.ts';
import { createTurns } from './turns.ts';

/** What all completions of one tree share. */
export interface TreeCap {
  /** Trees are numbered in the order they were opened. */
  readonly order: number;
  readonly cap: number;
  inFlight: number;
  /** Gates with calls that wait for room in this tree. */
  readonly blocked: Set<ModelGate>;
}

/** One completion's place in the queues. */
export interface CallLane {
  readonly tree: TreeCap;
}

/** The gate of one model: who may send, how many at once, how fast. */
export interface ModelGate {
  enter(lane: CallLane, pass: GatePass): Promise<GateSlot>;
  /** Lets through whoever may go now. */
  pump(): void;
}

/** What a {@link ModelGate} needs. */
export interface GateSetup {
  readonly modelId: string;
  /** The model is behind a wire, with a provider that may refuse a burst. */
  readonly remote: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly coolDownMs: number;
  readonly hosts: Hosts;
  /** The order of the newest tree. */
  readonly newestTree: () => number;
}

/** Opens the gate of one model. */
export function createGate(setup: GateSetup): ModelGate {
  const { modelId, clock, hosts } = setup;
  const turns = createTurns<TreeCap, CallLane, Waiter<CallLane>>((waiter) => waiter.gone);
  const control = createControl(setup, () => gate.pump());
  let cancelTimer: (() => void) | undefined;

  const admit = ({ tree }: CallLane, pass: GatePass, now: number): GateSlot => {
    tree.inFlight += 1;
    const sent = control.sent(pass, now);
    return {
      observe: sent.observe,
      leave(error) {
        tree.inFlight -= 1;
        const closedBy = sent.left(error);
        if (closedBy !== undefined) refuse(turns.drain(), closedBy);
        gate.pump();
        if (tree.blocked.size === 0) return;
        const blocked = [...tree.blocked];
        tree.blocked.clear();
        for (const other of blocked) other.pump();
      },
    };
  };
  const mayGo = (tree: TreeCap): boolean => {
    if (tree.inFlight < tree.cap) return true;
    tree.blocked.add(gate);
    return false;
  };
  const wakeIn = (milliseconds: number): void => {
    cancelTimer?.();
    cancelTimer = clock.schedule(Math.ceil(milliseconds), () => gate.pump());
  };

  const gate: ModelGate = {
    enter(lane, pass) {
      const refusal = control.refusal(lane.tree.order);
      if (refusal !== undefined) return Promise.reject(refusal);
      if (pass.signal.aborted) return Promise.reject(abortError(modelId, pass.signal.reason));
      const now = clock.now();
      if (turns.size === 0 && lane.tree.inFlight < lane.tree.cap && control.delayMs(now, pass.tokens) === 0) {
        return Promise.resolve(admit(lane, pass, now));
      }
      const { waiter, promise } = createWaiter(modelId, lane, pass, clock);
      turns.push(lane.tree, lane, waiter);
      gate.pump();
      return promise;
    },
    pump() {
      while (turns.size > 0) {
        const verdict = hosts.verdict(control.host);
        if (verdict.kind === 'refuse') return refuse(turns.drain(), verdict.error);
        const now = clock.now();
        const wait = control.delayMs(now, control.lastTokens);
        if (wait === Number.POSITIVE_INFINITY) return;
        if (wait > 0) return wakeIn(wait);
        const waiter = turns.next(mayGo);
        if (waiter === undefined) return;
        waiter.resolve(admit(waiter.lane, waiter.pass, now));
      }
    },
  };
  return gate;
}

function refuse(waiters: readonly Waiter<CallLane>[], error: ModelError): void {
  for (const waiter of waiters) waiter.reject(error);
}

/** Milliseconds nothing is sent after a refusal's status, until the refusal itself has been read. */
const HOLD_MS = 20;

/** Everything that decides whether an attempt may be sent now, apart from whose turn it is. */
interface Control {
  readonly host: string | undefined;
  readonly lastTokens: number;
  /** The error that keeps trees up to this order out. */
  refusal(treeOrder: number): ModelError | undefined;
  /** Milliseconds until an attempt may be sent; `Infinity` until one in flight ends. */
  delayMs(now: number, tokens: number): number;
  sent(pass: GatePass, now: number): SentAttempt;
}

interface SentAttempt {
  readonly observe: GateSlot['observe'];
  /** The attempt is over; the error with which the gate closed, if it did. */
  left(error: ModelError | undefined): ModelError | undefined;
}

function createControl({ clock, random, coolDownMs, hosts, newestTree, remote }: GateSetup, pump: () => void): Control {
  const pacer = createPacer();
  const limits = createHeaderLimits();
  const overload = createOverload(random, coolDownMs);
  const closure = createClosure(clock);
  const startWindow = createStartWindow(clock, remote);
  let inFlight = 0;
  let sentCount = 0;
  let complainedAt = 0;
  let heldUntil = 0;
  let host: string | undefined;
  let lastTokens = 0;

  const complained = (error: ModelError, ordinal: number, sentAt: number): void => {
    const now = clock.now();
    // A provider that tells its limits need not be guessed at.
    const guess = error.fault === 'rate-limit' && !limits.known;
    const news = guess ? pacer.refused(ordinal, sentAt) : ordinal > complainedAt;
    if (news) complainedAt = sentCount;
    startWindow.end();
    overload.complained(error, { news, inFlight: inFlight + 1, now, rate: pacer.rate });
    pacer.pause(overload.until);
  };
  const failed = (error: ModelError, ordinal: number, sentAt: number): ModelError | undefined => {
    const failedHost = error.data.host;
    if (typeof failedHost === 'string') host = failedHost;
    if (error.fault === 'unreachable' && host !== undefined) hosts.failed(host, error);
    else hosts.answered(host);
    if (error.fault === 'rate-limit' || error.fault === 'overloaded') complained(error, ordinal, sentAt);
    return closure.consider(error, newestTree());
  };

  return {
    get host() {
      return host;
    },
    get lastTokens() {
      return lastTokens;
    },
    refusal: closure.refusal,
    delayMs(now, tokens) {
      if (inFlight >= overload.limit) return Number.POSITIVE_INFINITY;
      if (inFlight >= startWindow.limit) {
        startWindow.filled(pump);
        return Number.POSITIVE_INFINITY;
      }
      const verdict = hosts.verdict(host);
      const reachable = verdict.kind === 'wait' ? verdict.ms : verdict.kind === 'refuse' ? Number.POSITIVE_INFINITY : 0;
      const paced = Math.max(startWindow.delayMs(now), pacer.delayMs(now), limits.delayMs(now, tokens));
      return Math.max(0, reachable, heldUntil - now, overload.until - now, paced);
    },
    sent({ tokens }, now) {
      inFlight += 1;
      sentCount += 1;
      lastTokens = tokens;
      hosts.sent(host);
      startWindow.sent(now);
      const ordinal = pacer.sent(now);
      const mark = limits.sent(tokens, now);
      return {
        observe(headers, status = 200) {
          limits.observe(headers, mark, clock.now());
          if (status === 429 || status === 503 || status === 529) heldUntil = clock.now() + HOLD_MS;
        },
        left(error) {
          inFlight -= 1;
          if (error !== undefined) return failed(error, ordinal, now);
          closure.reopen();
          overload.succeeded();
          hosts.answered(host);
          return undefined;
        },
      };
    },
  };
}
