import { abortError } from '../attempt-watch.ts';
import type { ModelError, ModelFault } from '../model-error.ts';
import { createWaiter, type GatePass, type GateSlot, type Waiter } from './call-gate.ts';
import { createFairQueue } from './fair-queue.ts';
import { createSendControl, type SendSetup } from './send-control.ts';

/** The cap that all completions of one tree share. */
export interface TreeCap {
  /** Trees are numbered in the order they were opened. */
  readonly order: number;
  readonly cap: number;
  inFlight: number;
  /** Gates with calls that wait for room in this tree. */
  readonly blocked: Set<ModelGate>;
  /** Gates of models that have answered an attempt of this tree. */
  readonly reached: Set<ModelGate>;
}

/** Faults that do not show that the model's server has answered: nothing did, or something else. */
const NOT_REACHED: ReadonlySet<ModelFault> = new Set(['unreachable', 'web-page', 'not-an-api', 'cancelled']);

/** One completion's place in the queues. */
export interface CallLane {
  readonly tree: TreeCap;
}

/** The gate of one model: who may send, how many at once, how fast. */
export interface ModelGate {
  enter(lane: CallLane, pass: GatePass): Promise<GateSlot>;
  /** Admits every waiting call that may be sent now. */
  pump(): void;
}

/** The options of a {@link ModelGate}. */
export interface GateSetup extends SendSetup {
  readonly modelId: string;
}

/** Opens the gate of one model. */
export function createGate(setup: GateSetup): ModelGate {
  const { modelId, clock, hostCircuits } = setup;
  const queue = createFairQueue<TreeCap, CallLane, Waiter<CallLane>>((waiter) => waiter.gone);
  const control = createSendControl(setup, () => gate.pump());
  let cancelTimer: (() => void) | undefined;

  const admit = ({ tree }: CallLane, pass: GatePass, now: number): GateSlot => {
    tree.inFlight += 1;
    const sent = control.sent(pass, now);
    return {
      observe: sent.observe,
      leave(error) {
        tree.inFlight -= 1;
        if (error === undefined || !NOT_REACHED.has(error.fault)) tree.reached.add(gate);
        const closedBy = sent.left(error);
        if (closedBy !== undefined) refuse(queue.drain(), closedBy);
        gate.pump();
        pumpBlocked(tree);
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
      if (queue.size === 0 && lane.tree.inFlight < lane.tree.cap && control.delayMs(now, pass.tokens) === 0) {
        return Promise.resolve(admit(lane, pass, now));
      }
      const { waiter, promise } = createWaiter(modelId, lane, pass, clock);
      queue.push(lane.tree, lane, waiter);
      gate.pump();
      return promise;
    },
    pump() {
      while (queue.size > 0) {
        const verdict = hostCircuits.verdict(control.host);
        if (verdict.kind === 'refuse') return refuse(queue.drain(), verdict.error);
        const now = clock.now();
        const wait = control.delayMs(now, control.lastTokens);
        if (wait === Number.POSITIVE_INFINITY) return;
        if (wait > 0) return wakeIn(wait);
        const waiter = queue.next(mayGo);
        if (waiter === undefined) return;
        waiter.resolve(admit(waiter.lane, waiter.pass, now));
      }
    },
  };
  return gate;
}

/** There is room in the tree again: its calls may wait at other gates. */
function pumpBlocked(tree: TreeCap): void {
  if (tree.blocked.size === 0) return;
  const blocked = [...tree.blocked];
  tree.blocked.clear();
  for (const gate of blocked) gate.pump();
}

function refuse(waiters: readonly Waiter<CallLane>[], error: ModelError): void {
  for (const waiter of waiters) waiter.reject(error);
}
