import type { CompletionResult } from '../engine/result.ts';
import type { RunEvent } from '../event/event.ts';
import type { CompletionRun } from '../run/run-handle.ts';

/** Where a run is, in a few words. */
export interface RunPosition {
  /** From 1; 0 before the first. */
  readonly turn: number;
  /** 0 while it is unknown. */
  readonly maxTurns: number;
  readonly status: string;
}

/** How a run belongs to its client. */
export interface ClientRunOptions {
  readonly run: CompletionRun<unknown>;
  readonly client: string;
  readonly question: string;
  /** Equal for equal questions on equal data. */
  readonly key?: string;
  /** It was started without a call that waits: a cancelled `ask` that joined it does not stop it. */
  readonly kept: boolean;
  readonly lingerMs: number;
  readonly onSettled: (run: ClientRun) => void;
}

/**
 * A run that the server owns, with the calls that wait for it. While none waits it continues for a while, so that a
 * client that timed out or lost its connection can ask again.
 */
export class ClientRun {
  readonly id: string;
  readonly client: string;
  readonly question: string;
  readonly key: string | undefined;
  readonly startedAt: number = Date.now();
  readonly #options: ClientRunOptions;
  readonly #listeners = new Set<() => void>();
  readonly #stored = Promise.withResolvers<void>();
  #position: RunPosition = { turn: 0, maxTurns: 0, status: 'starting' };
  #kept: boolean;
  #waiting = 0;
  #delivered = false;
  #ended = false;
  #linger: NodeJS.Timeout | undefined;

  constructor(options: ClientRunOptions) {
    this.#options = options;
    this.#kept = options.kept;
    this.id = options.run.id;
    this.client = options.client;
    this.question = options.question;
    this.key = options.key;
    const settled = (): void => this.#settle();
    options.run.then(settled, settled);
    this.#follow().catch(() => undefined); // The run's own failure, which its waiters get.
    this.#release();
  }

  get position(): RunPosition {
    return this.#position;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Its answer reached a client, so that the same question starts a new run. */
  get delivered(): boolean {
    return this.#delivered;
  }

  /** Resolves when the store has the run, so that a restart finds it, or when it has ended. */
  get stored(): Promise<void> {
    return this.#stored.promise;
  }

  /** Called by `start`: from now on it continues without a call that waits. */
  keep(): void {
    this.#kept = true;
    clearTimeout(this.#linger);
  }

  /** A client has asked for it: its time without a call begins again. */
  touch(): void {
    if (this.#waiting === 0) this.#release();
  }

  /** Calls the listener whenever its position changes, until it is disposed of. */
  listen(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /**
   * Waits for its end. When the signal fires, `cancelled` says whether the client still wants the run: a run that no other
   * call waits for is stopped if not.
   *
   * @throws CompletionError of the run; the signal's reason
   */
  async wait(signal: AbortSignal, cancelled: (reason: unknown) => boolean): Promise<CompletionResult<unknown>> {
    signal.throwIfAborted();
    clearTimeout(this.#linger);
    this.#waiting += 1;
    const gone = Promise.withResolvers<never>();
    const onAbort = (): void => gone.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const result = await Promise.race([this.#options.run, gone.promise]);
      this.#delivered = true;
      return result;
    } catch (error) {
      if (!signal.aborted) this.#delivered = true;
      else if (this.#waiting === 1 && !this.#kept && cancelled(signal.reason))
        this.stop('cancel', 'the client cancelled');
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#release();
    }
  }

  /** `finish`: the best answer now. `pause`: it can be resumed. */
  stop(how: 'cancel' | 'finish' | 'pause', reason: string): void {
    this.#options.run[how](reason);
  }

  async #follow(): Promise<void> {
    for await (const event of this.#options.run) {
      if (event.runId === this.id && STORED.has(event.type)) this.#stored.resolve();
      const position = positionAfter(event, this.#position);
      if (event.runId !== this.id || position === undefined) continue;
      this.#position = position;
      for (const listener of this.#listeners) listener();
    }
  }

  /** Without a call that waits, it continues for a while; then it is cancelled, or forgotten if it has ended. */
  #release(): void {
    clearTimeout(this.#linger);
    if (this.#ended && this.#delivered) this.#options.onSettled(this);
    else if (!this.#kept || this.#ended) {
      this.#linger = setTimeout(() => this.#lingered(), this.#options.lingerMs);
      this.#linger.unref();
    }
  }

  #lingered(): void {
    if (this.#ended) this.#options.onSettled(this);
    else this.stop('cancel', 'no client has asked for it since its call ended (lingerMs)');
  }

  #settle(): void {
    this.#ended = true;
    this.#stored.resolve();
    if (this.#waiting === 0) this.#release();
  }
}

/** A run is stored before the first of these. */
const STORED: ReadonlySet<RunEvent['type']> = new Set(['run.queued', 'run.started', 'run.resumed']);

function positionAfter(event: RunEvent, before: RunPosition): RunPosition | undefined {
  switch (event.type) {
    case 'run.queued':
      return { ...before, status: `waiting for a REPL, number ${event.position} in the queue` };
    case 'run.progress':
      return { turn: event.turn, maxTurns: event.maxTurns, status: event.status };
    default:
      return undefined;
  }
}
