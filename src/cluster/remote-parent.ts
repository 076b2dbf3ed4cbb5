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
  /** Names this execution: the same worker may get the same child again. */
  readonly #attempt = ulid();
  readonly #stop = new AbortController();
  /** Rejected once no answer can come any more. */
  readonly #gone = Promise.withResolvers<never>();
  #abandoned: RlmError | undefined;
  #unwatch: () => void = () => undefined;

  constructor({
    job,
    calls,
    leaseMs,
  }: { readonly job: ChildJob; readonly calls: RemoteCalls; readonly leaseMs: number }) {
    this.#job = job;
    this.#calls = calls;
    this.#leaseMs = leaseMs;
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
    const { entries } = (await this.ask('hello', {})) as unknown as { readonly entries: readonly JournalEntry[] };
    return entries;
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

  /**
   * Records an entry there. The record of an attempt that begins is the permission to send it. One that came late is confirmed first,
   * because another worker may have the child by then.
   */
  async append(entry: JournalEntry, durability: string): Promise<void> {
    let asked = performance.now();
    await this.ask('append', { entry, durability });
    while (entry.kind === 'begin' && performance.now() - asked > this.#leaseMs / 2) {
      asked = performance.now();
      await this.ask('confirm', {});
    }
  }

  /** Stops the child when the process that asked for it has ended. */
  watch(isPresent: IsPresent): void {
    const gone = (): void => this.abandon('The process that asked for this child has ended.');
    this.#unwatch = watchPresence(this.#job.coordinator, isPresent, gone);
  }
}
