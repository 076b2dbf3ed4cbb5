import { ulid } from 'ulid';
import { RlmError } from '../errors.ts';
import type { JsonValue } from '../repl/port.ts';
import type { JournalEntry } from '../store/port.ts';
import type { ChildJob } from './child-job.ts';
import { type IsPresent, watchPresence } from './presence.ts';
import type { RemoteCalls } from './remote-calls.ts';

/** Milliseconds for which the process that asked may be silent: Redis, or that process, is started again meanwhile. */
const ANSWER_WAIT_MS = 60_000;

/** The process that asked for a child, as the worker sees it. */
export class RemoteParent {
  readonly #job: ChildJob;
  readonly #calls: RemoteCalls;
  readonly #leaseMs: number;
  readonly #onCall: () => void;
  /** Names this execution: the same worker may get the same child again. */
  readonly #attempt = ulid();
  readonly #stop = new AbortController();
  /** Rejected once no answer can come any more. */
  readonly #gone = Promise.withResolvers<never>();
  #abandoned: RlmError | undefined;
  #unwatch: () => void = () => undefined;
  /** By `performance.now()`. */
  #permittedUntil = Number.NEGATIVE_INFINITY;

  constructor({
    job,
    calls,
    leaseMs,
    onCall,
  }: {
    readonly job: ChildJob;
    readonly calls: RemoteCalls;
    readonly leaseMs: number;
    /** Called for each model call that may be sent. */
    readonly onCall: () => void;
  }) {
    this.#job = job;
    this.#calls = calls;
    this.#leaseMs = leaseMs;
    this.#onCall = onCall;
    this.#gone.promise.catch(() => undefined);
  }

  /** Fires when the child is to stop. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  cancel(reason: string): void {
    this.#stop.abort(new RlmError({ code: 'cancelled', message: reason }));
  }

  /** Nothing is asked or sent any more. */
  abandon(why: string): void {
    this.#abandoned ??= new RlmError({ code: 'cancelled', message: why });
    this.#gone.reject(this.#abandoned);
    this.cancel(why);
  }

  close(): void {
    this.#unwatch();
    this.cancel('The child has ended.');
  }

  /** Takes the child over, and returns the entries that are recorded of it. */
  async hello(): Promise<readonly JournalEntry[]> {
    const { entries } = (await this.ask('hello', { leaseMs: this.#leaseMs })) as unknown as {
      readonly entries: readonly JournalEntry[];
    };
    return entries;
  }

  /** As `ask`, where nothing depends on the answer. */
  notify(method: string, body: { readonly [name: string]: unknown }): void {
    const { coordinator, childId } = this.#job;
    this.#calls.notify(coordinator, {
      method,
      body: { childId, attempt: this.#attempt, ...body } as unknown as JsonValue,
    });
  }

  /** @throws Unanswered, and the error of the other process */
  async ask(
    method: string,
    body: { readonly [name: string]: unknown },
    waitMs: number = ANSWER_WAIT_MS,
  ): Promise<JsonValue> {
    // The end of a child that was abandoned would fail it, although another worker takes it over.
    if (this.#abandoned !== undefined) throw this.#abandoned;
    const { coordinator, childId } = this.#job;
    const call = { method, body: { childId, attempt: this.#attempt, ...body } as unknown as JsonValue, waitMs };
    return await Promise.race([this.#calls.ask(coordinator, call), this.#gone.promise]);
  }

  /** Records an entry there. The record of an attempt that begins is a permission to send. */
  async append(entry: JournalEntry, durability: string): Promise<void> {
    if (entry.kind !== 'begin') {
      await this.ask('append', { entry, durability });
      return;
    }
    await this.#permit('append', { entry, durability });
    this.#onCall();
  }

  /** Milliseconds for which this worker may send: no other worker has the child before they are over. */
  ownedForMs(): number | Promise<number> {
    const left = this.#permittedUntil - performance.now();
    return left > 0 ? left : this.#permit('confirm', {});
  }

  /** The permission counts from the moment at which it was asked for: its answer may come late, or this process be stopped. */
  async #permit(method: string, body: { readonly [name: string]: unknown }): Promise<number> {
    const asked = performance.now();
    const granted = Number(await this.ask(method, body));
    this.#permittedUntil = Math.max(this.#permittedUntil, asked + granted);
    return this.#permittedUntil - performance.now();
  }

  /** Stops the child when the process that asked for it has ended. */
  watch(isPresent: IsPresent): void {
    const gone = (): void => this.abandon('The process that asked for this child has ended.');
    this.#unwatch = watchPresence(this.#job.coordinator, isPresent, gone);
  }
}
