import type { ModelError } from '../model-error.ts';
import type { Model } from '../port.ts';

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
  enter(model: Model, pass: GatePass): Promise<GateSlot>;
}
