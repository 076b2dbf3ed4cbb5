import type { ChildOptions } from '../engine/run.ts';
import type { CallGate, ModelError } from '../model/index.ts';
import type { GateSlot } from '../model/rate/call-gate.ts';
import type { JsonValue } from '../repl/port.ts';
import { modelOf } from './child-account.ts';
import { errorFromJson, takenOver } from './error-json.ts';

/** A call of a worker waits for its turn. */
export interface EnterBody {
  readonly model: string;
  readonly tokens: number;
  readonly waitMs: number;
}

/** The headers of a response that rate control reads. */
export interface ObserveBody {
  readonly slot: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly status?: number;
}

/** A call is over. */
export interface LeaveBody {
  readonly slot: number;
  readonly error?: JsonValue;
}

/** The turns of a worker's calls: they wait at the gates of this process, with its own calls and those of other workers. */
export class ModelSlots {
  readonly #options: ChildOptions;
  readonly #lane: CallGate;
  readonly #slots = new Map<number, GateSlot>();
  #last = 0;
  /** Fires when the worker is gone: what still waits for it is given up. */
  #gone = new AbortController();

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#lane = options.parent.tree.calls.lane();
  }

  /** @throws ModelError when the model takes no calls, or the wait ends */
  async enter({ model: id, tokens, waitMs }: EnterBody): Promise<JsonValue> {
    const { parent } = this.#options;
    const gone = this.#gone.signal;
    const signal = AbortSignal.any([this.#options.signal, gone]);
    const model = await modelOf(this.#options, id);
    const slot = await this.#lane.enter(model, { signal, deadline: parent.clock.now() + waitMs, tokens });
    if (gone.aborted) {
      slot.leave(undefined);
      throw takenOver();
    }
    this.#last += 1;
    this.#slots.set(this.#last, slot);
    return this.#last;
  }

  observe({ slot, headers, status }: ObserveBody): JsonValue {
    this.#slots.get(slot)?.observe(headers, status);
    return null;
  }

  leave({ slot, error }: LeaveBody): JsonValue {
    this.#slots.get(slot)?.leave(error === undefined ? undefined : (errorFromJson(error) as ModelError));
    this.#slots.delete(slot);
    return null;
  }

  /** The worker is gone: its turns are free. */
  close(): void {
    for (const slot of this.#slots.values()) slot.leave(undefined);
    this.#slots.clear();
    this.#gone.abort();
    this.#gone = new AbortController();
  }
}
