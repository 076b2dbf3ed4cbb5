import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../clock.ts';
import { defined } from '../defined.ts';
import { newestRuns } from '../door/newest-runs.ts';
import { CompletionError, type CompletionResult } from '../engine/result.ts';
import { messageOf, RlmError } from '../errors.ts';
import { abortRun } from '../resume/abort-run.ts';
import type { CompletionRequest, CompletionRun } from '../run/run-handle.ts';
import { followRun, RESUMABLE, type RunOwner, type RunRecord, type RunStatus } from '../store/index.ts';
import { type Client, OWNER } from './access.ts';
import { untilBegun } from './ask.ts';
import { HttpProblem } from './http-problem.ts';
import { PAGE_ITEMS, TOO_MANY_RUNS_RETRY_MS } from './limits.ts';
import type { ServerConfig } from './server-options.ts';

/** A run that this process works on. */
export interface ActiveRun {
  readonly run: CompletionRun<unknown>;
  readonly client: string;
  /** The server's own: it outlives its connection, and a restart resumes it. */
  readonly detached: boolean;
}

/** Hears how runs end. */
export type RunEnded = (end: CompletionResult<unknown> | CompletionError) => void;

const DOOR = 'server';

/** The owner of a run or session that a client of the server asked for. */
export function ownerOf({ name }: Client, detached: boolean): RunOwner {
  return { door: DOOR, name, detached };
}

/** Whether a client may see a run or a session. */
export function maySee({ name }: Client, owner: RunOwner | undefined): boolean {
  return owner?.door === DOOR ? owner.name === name : name === OWNER;
}

/** The runs of the server: who started them, how many there are, and what becomes of them when it stops. */
export class RunDesk {
  readonly #config: ServerConfig;
  readonly #ended: RunEnded;
  readonly #active = new Map<string, ActiveRun>();
  #stopping = false;

  constructor(config: ServerConfig, ended: RunEnded) {
    this.#config = config;
    this.#ended = ended;
  }

  /** No new run is taken any more. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Runs of a client at work or waiting. */
  countOf(client: Client): number {
    let count = 0;
    for (const active of this.#active.values()) if (active.client === client.name) count += 1;
    return count;
  }

  /** Starts a run of the `Rlm`. @throws RlmError `overloaded` when the client has too many */
  start(request: CompletionRequest<unknown>, client: Client, detached: boolean): CompletionRun<unknown> {
    return this.take(client, detached, () =>
      this.#config.rlm.completion({ ...request, owner: ownerOf(client, detached) }),
    );
  }

  /** Takes a run, started by `open`, into the client's account. @throws RlmError `overloaded` */
  take(client: Client, detached: boolean, open: () => CompletionRun<unknown>): CompletionRun<unknown> {
    if (this.#stopping)
      throw new HttpProblem('shutting-down', 'The server is shutting down. Ask again when it has started.');
    this.#checkRoom(client);
    const run = open();
    this.#add({ run, client: client.name, detached });
    return run;
  }

  /** The run, where this process works on it and the client may see it. */
  active(id: string, client: Client): CompletionRun<unknown> | undefined {
    const found = this.#active.get(id);
    return found?.client === client.name ? found.run : undefined;
  }

  /** The record of a run that the client may see. @throws RlmError `run-not-found` */
  async record(id: string, client: Client): Promise<RunRecord> {
    const record = await this.#config.store.runs.get(id);
    if (record === undefined || !maySee(client, record.owner) || record.parentRunId !== undefined) throw notFound(id);
    return record;
  }

  /** The client's runs, newest first. */
  async list(client: Client, status?: RunStatus): Promise<readonly RunRecord[]> {
    const mine = ({ owner }: RunRecord): boolean => maySee(client, owner);
    return await newestRuns(this.#config.store, { count: PAGE_ITEMS, mine, ...defined({ status }) });
  }

  /** Every run of the client, newest first. */
  async all(client: Client, status?: RunStatus): Promise<readonly RunRecord[]> {
    const filter = { rootsOnly: true, limit: Number.MAX_SAFE_INTEGER, ...(status !== undefined && { status }) };
    const all = await this.#config.store.runs.list(filter);
    return all.filter(({ owner }) => maySee(client, owner));
  }

  /**
   * Ends a run for good; resolves when it has ended. One that has ended already is left as it is.
   *
   * @throws RlmError `run-not-found`, `run-locked` when another process works on it and does not stop
   */
  async cancel(id: string, client: Client, reason: string): Promise<void> {
    const record = await this.record(id, client);
    const run = this.active(id, client);
    if (run !== undefined) {
      run.cancel(reason);
      await run.catch(() => undefined);
    } else if (record.status !== 'completed' && record.status !== 'failed' && record.status !== 'aborted') {
      await this.#cancelElsewhere(id, reason);
    }
  }

  /** Another process may work on it, on another machine: that process reads the request. */
  async #cancelElsewhere(id: string, reason: string): Promise<void> {
    const { store } = this.#config;
    try {
      await abortRun(id, { store, clock: systemClock, reason });
    } catch (error) {
      if (!RlmError.isInstance(error) || error.code !== 'run-locked') throw error;
      await store.stops.put(id, { action: 'cancel', reason });
      const signal = AbortSignal.timeout(this.#config.limits.shutdownMs);
      for await (const _ of followRun(store, { runId: id, signal }));
      if ((await store.runs.get(id))?.status === 'running') throw error;
    }
  }

  /** Asks a run for its best answer now. @throws RlmError `run-not-found`, `invalid-option` when it does not run */
  async finish(id: string, client: Client, reason: string): Promise<void> {
    const { status } = await this.record(id, client);
    const run = this.active(id, client);
    if (run !== undefined) run.finish(reason);
    else if (status === 'running') await this.#config.store.stops.put(id, { action: 'finish', reason });
    else throw notRunning(id);
  }

  /** Continues a run that was interrupted or paused. @throws RlmError `run-not-found`, `invalid-option`, `run-locked`, `overloaded` */
  async resume(id: string, client: Client): Promise<void> {
    const { status } = await this.record(id, client);
    if (this.active(id, client) !== undefined || !RESUMABLE.has(status)) throw notResumable(id, status);
    await untilBegun(this.take(client, true, () => this.#config.rlm.resume(id)));
  }

  /**
   * After a start: continues the server's own runs that an earlier process left, and ends those whose connection is gone.
   * Runs that another process works on are left alone.
   */
  async recover(): Promise<void> {
    const { store, rlm, onError } = this.#config;
    for (const { id, owner, sessionId, status } of await this.#leftBehind()) {
      if (owner === undefined) continue;
      if (owner.detached && sessionId === undefined) {
        this.#add({ run: rlm.resume(id), client: owner.name, detached: true });
        continue;
      }
      // A person may continue a run that stopped for a quota or a key.
      if (status === 'paused') continue;
      const reason = 'the server ended, and with it the connection that asked for the run';
      await abortRun(id, { store, clock: systemClock, reason }).catch((error: unknown) => {
        if (!RlmError.isInstance(error) || error.code !== 'run-locked') onError(error);
      });
    }
  }

  /** Pauses the server's own runs and cancels the others; resolves when they have ended, or when their time is over. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const active = [...this.#active.values()];
    for (const { run, detached } of active) {
      if (detached) run.pause('the server shuts down');
      else run.cancel('the server shuts down');
    }
    const late = new AbortController();
    await Promise.race([
      Promise.allSettled(active.map(({ run }) => run)),
      delay(this.#config.limits.shutdownMs, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
  }

  async #leftBehind(): Promise<readonly RunRecord[]> {
    const all = await this.#config.store.runs.list({
      status: ['interrupted', 'paused'],
      rootsOnly: true,
      limit: Number.MAX_SAFE_INTEGER,
    });
    return all.filter(({ owner }) => owner?.door === DOOR).reverse();
  }

  #checkRoom(client: Client): void {
    const { maxRunsPerKey } = this.#config.limits;
    const count = this.countOf(client);
    if (count < maxRunsPerKey) return;
    throw new RlmError({
      code: 'overloaded',
      message: `The key ${client.name} has ${count} runs, and ${maxRunsPerKey} at once are allowed (maxRunsPerKey). Try again when one has ended.`,
      retryable: true,
      data: { limit: 'maxRunsPerKey', maxRunsPerKey, runs: count, retryAfterMs: TOO_MANY_RUNS_RETRY_MS },
    });
  }

  #add(active: ActiveRun): void {
    const { id } = active.run;
    this.#active.set(id, active);
    active.run.then(
      (result) => this.#remove(id, result),
      (error: unknown) => this.#remove(id, error),
    );
  }

  #remove(id: string, end: unknown): void {
    this.#active.delete(id);
    // A run that could not be opened again has no result to count.
    if (end instanceof Error && !CompletionError.isInstance(end)) this.#config.onError(resumeFailed(id, end));
    else this.#ended(end as CompletionResult<unknown> | CompletionError);
  }
}

function notRunning(id: string): RlmError {
  const message = `Run ${id} cannot be asked for its answer: it is not running.`;
  return new RlmError({ code: 'invalid-option', message, userAction: true, data: { runId: id } });
}

function notResumable(id: string, status: RunStatus): RlmError {
  const message = `Run ${id} cannot be resumed: its status is ${status}.`;
  return new RlmError({ code: 'invalid-option', message, userAction: true, data: { runId: id, status } });
}

function notFound(id: string): RlmError {
  return new RlmError({
    code: 'run-not-found',
    message: `There is no run ${JSON.stringify(id.slice(0, 64))} of this key.`,
    userAction: true,
    data: { runId: id.slice(0, 64) },
  });
}

function resumeFailed(id: string, error: Error): Error {
  return new Error(`Run ${id} could not be resumed: ${messageOf(error)}`, { cause: error });
}
