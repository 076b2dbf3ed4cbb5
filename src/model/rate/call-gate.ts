import type { Clock } from '../../clock.ts';
import { abortError } from '../attempt-watch.ts';
import { ModelError } from '../model-error.ts';
import type { Model } from '../port.ts';

/** The facts about a model that its gate uses. */
export type GatedModel = Pick<Model, 'id' | 'provider' | 'endpoint' | 'remote'>;

/** Who asks for a slot, and how long they wait. */
export interface GatePass {
  readonly signal: AbortSignal;
  /** Milliseconds since the Unix epoch; a slot that cannot be had by then is refused with `timeout`. */
  readonly deadline: number;
  /** Worst case of the attempt in tokens, for limits in tokens per minute. */
  readonly tokens: number;
}

/** Room for one attempt in flight. `leave` is called once. */
export interface GateSlot {
  /** Reads the provider's rate-limit headers, and hears of a refusal as soon as there is a status. */
  readonly observe: (headers: Readonly<Record<string, string>>, status?: number) => void;
  /** The attempt is over; `error` when it failed. */
  leave(error: ModelError | undefined): void;
}

/** Where attempts wait for their turn: one lane of one completion tree, over the gates of all models. */
export interface CallGate {
  /**
   * Waits for a slot of the model.
   *
   * @throws ModelError `cancelled` or `timeout` when the wait ended without one; the error that closed the gate when
   *   the model takes no calls (wrong key, spent quota, unknown model, unreachable host)
   */
  enter(model: GatedModel, pass: GatePass): Promise<GateSlot>;
  /** True once an attempt of this tree has had an answer from the model's endpoint, whichever it was. */
  reached(model: GatedModel): boolean;
}

/** A call that waits for its turn. Settled once: by a slot, an error, its signal or its deadline. */
export interface Waiter<Lane> {
  readonly lane: Lane;
  readonly pass: GatePass;
  /** The wait has ended. */
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
    data: { ofRun: true },
  });
}
