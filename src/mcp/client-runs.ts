import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, RlmError } from '../errors.ts';
import type { CompletionRun } from '../run/run-handle.ts';
import type { RunOwner, RunRecord } from '../store/index.ts';
import { ClientRun } from './client-run.ts';
import { SHOWN_ID_CHARS, TOO_MANY_RUNS_RETRY_MS } from './limits.ts';
import type { McpConfig } from './mcp-options.ts';

const DOOR = 'mcp';

/** The owner of a run or session that a client asked for. */
export function ownerOf(client: string, detached: boolean): RunOwner {
  return { door: DOOR, name: client, detached };
}

/** Whether a client may see a run or a session. */
export function maySee(client: string, owner: RunOwner | undefined): boolean {
  return owner?.door === DOOR && owner.name === client;
}

/** A question of a client. */
export interface Asked {
  readonly client: string;
  readonly question: string;
  /** Paths, text or a handle. Equal questions on equal data share a run. */
  readonly data: readonly unknown[];
  readonly kept: boolean;
  readonly open: () => CompletionRun<unknown>;
}

/** The runs of the server: they outlive the calls and connections of their clients. */
export class ClientRuns {
  readonly #config: McpConfig;
  readonly #active = new Map<string, ClientRun>();
  #stopping = false;

  constructor(config: McpConfig) {
    this.#config = config;
  }

  /** Starts a run, or joins the one that answers the same question. @throws RlmError `overloaded` */
  ask({ client, question, data, kept, open }: Asked): ClientRun {
    const key = createHash('sha256')
      .update(JSON.stringify([client, question, data]))
      .digest('hex');
    for (const known of this.#active.values()) {
      if (known.key !== key || known.delivered) continue;
      if (kept) known.keep();
      return known;
    }
    this.#checkRoom(client);
    return this.#add({ run: open(), client, question, key, kept });
  }

  /** The run, where this process works on it and the client may see it. */
  active(id: string, client: string): ClientRun | undefined {
    const found = this.#active.get(id);
    return found?.client === client ? found : undefined;
  }

  /** Those of a client, newest first. */
  ofClient(client: string): readonly ClientRun[] {
    return [...this.#active.values()].filter((run) => run.client === client && !run.ended).reverse();
  }

  /** The record of a run that the client may see. @throws RlmError `run-not-found` */
  async record(id: string, client: string): Promise<RunRecord> {
    const record = await this.#config.store.runs.get(id);
    if (record !== undefined && maySee(client, record.owner) && record.parentRunId === undefined) return record;
    throw new RlmError({
      code: 'run-not-found',
      message: `There is no run ${JSON.stringify(id.slice(0, SHOWN_ID_CHARS))} of this client: status without run_id lists them.`,
      userAction: true,
      data: { runId: id.slice(0, SHOWN_ID_CHARS) },
    });
  }

  /** After a start: resumes the runs that an earlier server left. Those that another process works on are left alone. */
  async recover(): Promise<void> {
    const { store, rlm } = this.#config;
    const left = await store.runs.list({
      status: ['interrupted', 'paused'],
      rootsOnly: true,
      limit: Number.MAX_SAFE_INTEGER,
    });
    for (const { id, owner, sessionId, request } of left.toReversed()) {
      if (owner?.door !== DOOR || !owner.detached || sessionId !== undefined) continue;
      const run = rlm.resume(id);
      run.then(undefined, (error: unknown) => this.#resumeFailed(id, error));
      this.#add({ run, client: owner.name, question: request.query, kept: true });
    }
  }

  /** Pauses all runs; resolves when they have ended, or when their time is over. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const active = [...this.#active.values()].filter(({ ended }) => !ended);
    const ends = active.map((run) => run.wait(new AbortController().signal, () => false));
    for (const run of active) run.stop('pause', 'the MCP server shuts down');
    const late = new AbortController();
    await Promise.race([
      Promise.allSettled(ends),
      delay(this.#config.limits.shutdownMs, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
  }

  #add(parts: {
    readonly run: CompletionRun<unknown>;
    readonly client: string;
    readonly question: string;
    readonly key?: string;
    readonly kept: boolean;
  }): ClientRun {
    const { lingerMs } = this.#config.limits;
    const added = new ClientRun({ ...parts, lingerMs, onSettled: ({ id }) => this.#active.delete(id) });
    this.#active.set(added.id, added);
    return added;
  }

  #checkRoom(client: string): void {
    const { maxRuns } = this.#config.limits;
    const count = this.ofClient(client).length;
    if (!this.#stopping && count < maxRuns) return;
    const why = this.#stopping
      ? 'The server is shutting down.'
      : `This client has ${count} runs, and ${maxRuns} at once are allowed (maxRuns). Ask again when one has ended.`;
    throw new RlmError({
      code: 'overloaded',
      message: why,
      retryable: true,
      data: { limit: 'maxRuns', maxRuns, runs: count, retryAfterMs: TOO_MANY_RUNS_RETRY_MS },
    });
  }

  #resumeFailed(id: string, error: unknown): void {
    if (RlmError.isInstance(error) && ('result' in error || error.code === 'run-locked')) return;
    this.#config.onError(new Error(`Run ${id} could not be resumed: ${messageOf(error)}`, { cause: error }));
  }
}
