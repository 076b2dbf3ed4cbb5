import type { Clock } from '../../clock.ts';
import { abortError } from '../attempt-watch.ts';
import { ModelError } from '../model-error.ts';
import type { GatePass, GateSlot } from './call-gate.ts';

/** A call that waits for its turn. Settled once: by a slot, an error, its signal or its deadline. */
export interface Waiter<Lane> {
  readonly lane: Lane;
  readonly pass: GatePass;
  /** Nobody waits any more. */
  readonly gone: boolean;
  resolve(slot: GateSlot): void;
  reject(error: ModelError): void;
}

/** Starts a wait; `promise` is what the call awaits. */
export function createWaiter<Lane>(
  modelId: string,
  lane: Lane,
  pass: GatePass,
  clock: Clock,
): { readonly waiter: Waiter<Lane>; readonly promise: Promise<GateSlot> } {
  const { promise, resolve, reject } = Promise.withResolvers<GateSlot>();
  let gone = false;
  const finish = (): void => {
    gone = true;
    pass.signal.removeEventListener('abort', onAbort);
    cancelDeadline?.();
  };
  const waiter: Waiter<Lane> = {
    lane,
    pass,
    get gone() {
      return gone;
    },
    resolve(slot) {
      finish();
      resolve(slot);
    },
    reject(error) {
      finish();
      reject(error);
    },
  };
  const onAbort = (): void => waiter.reject(abortError(modelId, pass.signal.reason));
  const onDeadline = (): void => waiter.reject(deadlineError(modelId));
  pass.signal.addEventListener('abort', onAbort, { once: true });
  const cancelDeadline = Number.isFinite(pass.deadline)
    ? clock.schedule(Math.max(0, pass.deadline - clock.now()), onDeadline)
    : undefined;
  return { waiter, promise };
}

function deadlineError(modelId: string): ModelError {
  return new ModelError({
    fault: 'deadline',
    message: `The call of ${modelId} was not sent: the time of its run was up while it waited for its turn.`,
  });
}
