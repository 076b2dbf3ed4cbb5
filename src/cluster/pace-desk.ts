import type { Clock } from '../clock.ts';
import { type CallGate, createRateControl, ModelError, type RateControl } from '../model/index.ts';
import type { GatedModel, GateSlot } from '../model/rate/call-gate.ts';
import type { JsonValue } from '../repl/port.ts';
import { errorFromJson } from './error-json.ts';
import { type IsPresent, watchPresence } from './presence.ts';
import type { RemoteCall } from './remote-calls.ts';

/** A call of another process waits for its turn. */
export interface PaceEnter {
  readonly lane: string;
  readonly model: GatedModel;
  readonly tokens: number;
  readonly waitMs: number;
}

/** Headers and status of the response to a call that has its turn. */
export interface PaceObserve {
  readonly slot: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly status?: number;
}

/** The call is over. */
export interface PaceLeave {
  readonly slot: number;
  readonly error?: JsonValue;
}

/** A refusal that a worker meets is heard here some thirty milliseconds later: the calls sent meanwhile are refused as well. */
const SENDS_PER_MS = 0.25;

/** A lane of another process, kept while it has calls. */
interface ClientLane {
  readonly gate: CallGate;
  calls: number;
}

/** The calls of one process here. */
interface Client {
  readonly lanes: Map<string, ClientLane>;
  readonly slots: Map<number, { readonly slot: GateSlot; readonly lane: string }>;
  /** Fires when the process is gone. */
  readonly gone: AbortController;
}

/**
 * The pace of all calls of a queue, in the process that holds it: one gate for each model, where the calls of this process and those of
 * the others take turns. Each process keeps its own cap of calls in flight.
 */
export class PaceDesk {
  readonly #control: RateControl;
  readonly #clock: Clock;
  readonly #isPresent: IsPresent;
  readonly #clients = new Map<string, Client>();
  /** A model of another process is the same model here. */
  readonly #models = new Map<string, GatedModel>();
  #lastSlot = 0;

  constructor({ clock, isPresent }: { readonly clock: Clock; readonly isPresent: IsPresent }) {
    this.#control = createRateControl({ clock, sendsPerMs: SENDS_PER_MS });
    this.#clock = clock;
    this.#isPresent = isPresent;
  }

  /** A lane for calls of this process. */
  lane(): CallGate {
    return this.#control.openTree({ maxConcurrentCalls: Number.POSITIVE_INFINITY }).lane();
  }

  /** Answers a call of another process. Undefined: the method is not one of these. */
  async serve({ from, method, body }: RemoteCall): Promise<JsonValue | undefined> {
    switch (method) {
      case 'pace.enter':
        return await this.#enter(this.#clients.get(from) ?? this.#open(from), body as unknown as PaceEnter);
      case 'pace.observe':
        this.#observe(this.#clients.get(from), body as unknown as PaceObserve);
        return null;
      case 'pace.leave':
        this.#leave(this.#clients.get(from), body as unknown as PaceLeave);
        return null;
      default:
        return undefined;
    }
  }

  async #enter(client: Client, { lane: name, model, tokens, waitMs }: PaceEnter): Promise<JsonValue> {
    const { signal } = client.gone;
    const lane = client.lanes.get(name) ?? { gate: this.lane(), calls: 0 };
    client.lanes.set(name, lane);
    lane.calls += 1;
    try {
      const deadline = this.#clock.now() + waitMs;
      const slot = await lane.gate.enter(this.#modelOf(model), { signal, deadline, tokens });
      if (signal.aborted) {
        slot.leave(undefined);
        throw new ModelError({ fault: 'cancelled', message: 'The process of this call is gone.' });
      }
      this.#lastSlot += 1;
      client.slots.set(this.#lastSlot, { slot, lane: name });
      return this.#lastSlot;
    } catch (error) {
      leaveLane(client, name);
      throw error;
    }
  }

  #observe(client: Client | undefined, { slot, headers, status }: PaceObserve): void {
    client?.slots.get(slot)?.slot.observe(headers, status);
  }

  #leave(client: Client | undefined, { slot, error }: PaceLeave): void {
    const held = client?.slots.get(slot);
    if (client === undefined || held === undefined) return;
    client.slots.delete(slot);
    leaveLane(client, held.lane);
    held.slot.leave(error === undefined ? undefined : (errorFromJson(error) as ModelError));
  }

  #open(from: string): Client {
    const client: Client = { lanes: new Map(), slots: new Map(), gone: new AbortController() };
    this.#clients.set(from, client);
    watchPresence(from, this.#isPresent, () => {
      this.#clients.delete(from);
      client.gone.abort();
      for (const { slot } of client.slots.values()) slot.leave(undefined);
    });
    return client;
  }

  #modelOf(model: GatedModel): GatedModel {
    const key = JSON.stringify([model.provider, model.id, model.endpoint]);
    const known = this.#models.get(key);
    if (known !== undefined) return known;
    this.#models.set(key, model);
    return model;
  }
}

function leaveLane({ lanes }: Client, name: string): void {
  const lane = lanes.get(name);
  if (lane === undefined) return;
  lane.calls -= 1;
  if (lane.calls === 0) lanes.delete(name);
}
