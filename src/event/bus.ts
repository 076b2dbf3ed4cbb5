import type { Clock } from '../clock.ts';
import { EPHEMERAL_EVENTS, type EventBody, type RunEvent } from './event.ts';
import type { EventLog, EventTail, Stored } from './event-log.ts';
import { eventIdentity, oldIdentity } from './identity.ts';
import { EPHEMERAL_BUFFER, EventStream } from './stream.ts';

export interface EventBusOptions {
  readonly runId: string;
  readonly parentRunId?: string;
  /** The run id of the tree's root. */
  readonly traceId: string;
  readonly clock: Clock;
  /** Where durable events go before anybody sees them. Default: nowhere. */
  readonly store?: { readonly events: EventLog };
  /** Called with each event of this run and of the runs below it, as it becomes visible. */
  readonly onEvent?: (event: RunEvent) => void;
  /** The bus of the run that started this one: subscribers to the tree and `onEvent` are shared with it. */
  readonly parent?: EventBus;
  /** The log of a resumed run: numbers continue, and no event is emitted twice. */
  readonly tail?: EventTail;
}

export interface SubscribeOptions {
  /** Also events of the runs below this one (of the whole tree, for its root). Default false. */
  readonly tree?: boolean;
  /** Ephemeral events that wait before the oldest are dropped. Default 256. */
  readonly buffer?: number;
}

/** The events of one run. */
export interface EventBus {
  readonly runId: string;
  /** The number of the last durable event. */
  readonly seq: number;
  /** The terminal record was emitted. */
  readonly completed: boolean;
  /** Set once the store could not take an event; the run should end with it. */
  readonly failure: unknown;
  /**
   * Emits an event. Durable events become visible when they are stored: at once with a store in memory. After the
   * terminal record nothing more is emitted.
   *
   * @throws Error on a second `run.completed`: a run has one terminal record
   */
  emit(body: EventBody): void;
  /** Every durable event from the first on, whenever it is called, ephemeral ones as they come; ends with the run. */
  subscribe(options?: SubscribeOptions): AsyncIterableIterator<RunEvent>;
  /** The run is replayed: events that the log already holds are not emitted twice. */
  restartLog(tail: EventTail): void;
  /** Resolves when everything emitted so far is visible. @throws RlmError `store-failure` */
  flush(): Promise<void>;
  /** Ends all subscriptions, also without a terminal record. */
  close(): void;
}

/**
 * Creates the bus of a run.
 *
 * @example
 * ```ts
 * const bus = createEventBus({ runId, traceId: runId, clock: systemClock, store: memoryStore() });
 * bus.emit({ type: 'turn.started', turn: 1 });
 * for await (const event of bus.subscribe()) console.log(event.seq, event.type);
 * ```
 */
export function createEventBus(options: EventBusOptions): EventBus {
  return new RunEventBus(options);
}

interface Pending {
  readonly event: RunEvent;
  readonly ephemeral: boolean;
  stored: boolean;
}

/** Streams by bus, so that a child finds its parent's without it being part of the public interface. */
const streams = new WeakMap<EventBus, EventStream>();

class RunEventBus implements EventBus {
  readonly #options: EventBusOptions;
  readonly #stream: EventStream;
  /** Emitted and not yet visible, in order. */
  #pending: Pending[] = [];
  #recorded: Map<string, number>;
  #seq: number;
  #completed = false;
  #failure: unknown;
  #flushing: (() => void)[] = [];

  constructor(options: EventBusOptions) {
    this.#options = options;
    this.#seq = options.tail?.lastSeq ?? 0;
    this.#recorded = countByIdentity(options.tail?.identities ?? []);
    const shared = options.parent === undefined ? undefined : streams.get(options.parent);
    this.#stream = shared ?? new EventStream(options.onEvent);
    streams.set(this, this.#stream);
  }

  get runId(): string {
    return this.#options.runId;
  }

  get seq(): number {
    return this.#seq;
  }

  get completed(): boolean {
    return this.#completed;
  }

  get failure(): unknown {
    return this.#failure;
  }

  emit(body: EventBody): void {
    const terminal = body.type === 'run.completed';
    if (this.#completed) {
      if (terminal) throw new Error(`Run ${this.runId} was completed twice: a run has one terminal record.`);
      return;
    }
    this.#completed = terminal;
    const ephemeral = EPHEMERAL_EVENTS.has(body.type);
    if (!ephemeral && this.#wasTold(body)) {
      if (terminal) this.close();
      return;
    }
    const event = this.#number(body, ephemeral);
    const stored = ephemeral || this.#failure !== undefined ? undefined : this.#store(event);
    const entry: Pending = { event, ephemeral, stored: stored === undefined };
    this.#pending.push(entry);
    if (entry.stored) this.#showStored();
    stored?.then(
      () => {
        entry.stored = true;
        this.#showStored();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  subscribe(options: SubscribeOptions = {}): AsyncIterableIterator<RunEvent> {
    const { tree = false, buffer = EPHEMERAL_BUFFER } = options;
    return this.#stream.subscribe({ runId: this.runId, tree, buffer: Math.max(1, buffer) });
  }

  restartLog({ identities }: EventTail): void {
    this.#recorded = countByIdentity(identities);
  }

  async flush(): Promise<void> {
    if (this.#pending.length > 0) await new Promise<void>((resolve) => this.#flushing.push(resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }

  close(): void {
    this.#stream.end(this.runId);
  }

  #number(body: EventBody, ephemeral: boolean): RunEvent {
    const { runId, parentRunId, traceId, clock } = this.#options;
    // Ephemeral events that no subscriber sees take no number.
    if (!ephemeral && (this.#failure === undefined || body.type === 'run.completed')) this.#seq++;
    const base = { v: 1, runId, traceId, seq: this.#seq, time: isoTime(clock.now()) } as const;
    return parentRunId === undefined ? { ...base, ...body } : { ...base, parentRunId, ...body };
  }

  #wasTold(body: EventBody): boolean {
    if (this.#recorded.size === 0) return false;
    const identity = [eventIdentity(body), oldIdentity(body)].find(
      (one) => one !== undefined && this.#recorded.has(one),
    );
    const count = identity === undefined ? undefined : this.#recorded.get(identity);
    if (identity === undefined || count === undefined) return false;
    if (count === 1) this.#recorded.delete(identity);
    else this.#recorded.set(identity, count - 1);
    return true;
  }

  #store(event: RunEvent): Stored {
    // The end of a child is synced with the step of its parent that holds its result.
    const lasts = event.type === 'run.completed' && event.parentRunId === undefined;
    try {
      return this.#options.store?.events.append(event, {
        identity: eventIdentity(event),
        durability: lasts ? 'synced' : 'written',
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #showStored(): void {
    while (this.#pending[0]?.stored) {
      const entry = this.#pending.shift();
      if (entry !== undefined) this.#show(entry);
    }
    if (this.#pending.length > 0) return;
    const flushing = this.#flushing;
    this.#flushing = [];
    for (const resolve of flushing) resolve();
  }

  /** Nothing unstored is shown any more, but for the end of the run: watchers have to learn of it. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    const lost = this.#pending.find(({ ephemeral }) => !ephemeral);
    if (lost !== undefined) this.#seq = lost.event.seq - 1;
    const end = this.#pending.find(({ event }) => event.type === 'run.completed');
    this.#pending =
      end === undefined ? [] : [{ event: { ...end.event, seq: ++this.#seq }, ephemeral: false, stored: true }];
    this.#showStored();
  }

  #show({ event, ephemeral }: Pending): void {
    // With a broken store, only stored events and the end are emitted.
    if (this.#failure !== undefined && !ephemeral && event.type !== 'run.completed') return;
    this.#stream.show(event, ephemeral);
    if (event.type === 'run.completed') this.#stream.end(this.runId);
  }
}

let lastTime = { ms: Number.NaN, iso: '' };

/** ISO 8601. Many events fall into one millisecond, and writing it out costs more than the rest of their making. */
function isoTime(ms: number): string {
  if (ms !== lastTime.ms) lastTime = { ms, iso: new Date(ms).toISOString() };
  return lastTime.iso;
}

function countByIdentity(identities: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const identity of identities) counts.set(identity, (counts.get(identity) ?? 0) + 1);
  return counts;
}
