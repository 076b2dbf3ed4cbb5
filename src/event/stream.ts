import { defined } from '../defined.ts';
import { messageOf } from '../errors.ts';
import type { RunEvent } from './event.ts';

/** How many ephemeral events wait for a slow subscriber before the oldest are dropped. */
export const EPHEMERAL_BUFFER = 256;

/** Events of a completion tree, in the order in which they became visible. Subscribers are cursors into it. */
export class EventStream {
  /** Durable events are kept while the tree runs, so that no subscriber, however slow or late, misses one. */
  readonly durable: RunEvent[] = [];
  readonly #subscriptions = new Set<Subscription>();
  readonly #onEvent: ((event: RunEvent) => unknown) | undefined;
  readonly #closed = new Set<string>();

  constructor(onEvent?: (event: RunEvent) => unknown) {
    this.#onEvent = onEvent;
  }

  /** Shows an event to everybody. Never throws and never waits. */
  show(event: RunEvent, ephemeral: boolean): void {
    if (!ephemeral) this.durable.push(event);
    for (const subscription of this.#subscriptions) subscription.offer(event, ephemeral);
    try {
      const handled = this.#onEvent?.(event);
      if (handled instanceof Promise) handled.catch(warnOfListener);
    } catch (error) {
      warnOfListener(error);
    }
  }

  /** No more events of this run. Its subscribers end after the last one. */
  end(runId: string): void {
    this.#closed.add(runId);
    for (const subscription of this.#subscriptions) subscription.wake();
  }

  ended(runId: string): boolean {
    return this.#closed.has(runId);
  }

  subscribe(options: SubscriptionOptions): AsyncIterableIterator<RunEvent> {
    const subscription = new Subscription(this, options, () => this.#subscriptions.delete(subscription));
    this.#subscriptions.add(subscription);
    return subscription;
  }
}

/** A caller's broken listener must not break the run it listens to. */
function warnOfListener(error: unknown): void {
  process.emitWarning(`An event listener threw: ${messageOf(error)}`);
}

export interface SubscriptionOptions {
  readonly runId: string;
  /** Also the events of all other runs of the tree. */
  readonly tree: boolean;
  readonly buffer: number;
}

/** One subscriber's place in the stream. */
class Subscription implements AsyncIterableIterator<RunEvent> {
  readonly #stream: EventStream;
  readonly #options: SubscriptionOptions;
  readonly #leave: () => void;
  /** Index of the next durable event. */
  #cursor = 0;
  /** Ephemeral events with the number of durable events that were visible before them. */
  #ephemeral: { readonly after: number; readonly event: RunEvent }[] = [];
  #dropped = 0;
  #finished = false;
  #waiting: (() => void)[] = [];

  constructor(stream: EventStream, options: SubscriptionOptions, leave: () => void) {
    this.#stream = stream;
    this.#options = options;
    this.#leave = leave;
  }

  offer(event: RunEvent, ephemeral: boolean): void {
    if (!this.#options.tree && event.runId !== this.#options.runId) return;
    if (ephemeral) {
      if (this.#ephemeral.length >= this.#options.buffer) {
        this.#ephemeral.shift();
        this.#dropped++;
      }
      this.#ephemeral.push({ after: this.#stream.durable.length, event });
    }
    this.wake();
  }

  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  async next(): Promise<IteratorResult<RunEvent>> {
    for (;;) {
      if (this.#finished) return { done: true, value: undefined };
      const event = this.#take();
      if (event !== undefined) return { done: false, value: event };
      if (this.#stream.ended(this.#options.runId)) return this.return();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  return(): Promise<IteratorResult<RunEvent>> {
    this.#finished = true;
    this.#ephemeral = [];
    this.#leave();
    this.wake();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): RunEvent | undefined {
    const { durable } = this.#stream;
    for (;;) {
      const next = this.#ephemeral[0];
      if (next !== undefined && next.after <= this.#cursor) {
        if (this.#dropped > 0) return this.#notice(next.event);
        this.#ephemeral.shift();
        return next.event;
      }
      const event = durable[this.#cursor];
      if (event === undefined) return undefined;
      this.#cursor++;
      if (this.#options.tree || event.runId === this.#options.runId) return event;
    }
  }

  #notice({ type: _, ...event }: RunEvent): RunEvent {
    const count = this.#dropped;
    this.#dropped = 0;
    const { v, runId, parentRunId, traceId, seq, time } = event;
    return {
      v,
      runId,
      traceId,
      seq,
      time,
      type: 'events.dropped',
      count,
      ...defined({ parentRunId }),
    };
  }
}
