/**
 * The processes of a run over workers, each on a machine of its own where there can be such: the process that asks, the workers, Redis
 * and Postgres. The mock provider is in this process.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import { type MockProvider, type MockResponder, startMockProvider } from '../mock-provider/index.ts';
import { type Machine, type Network, noMachines, openNetwork, spawnOn } from '../servers/machines.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../servers/postgres-server.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

export const LEASE_MS = 1_500;

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const RUN = path('./rounds-run.ts');
const WORKER = path('./worker-process.ts');
const CLOCK = path('./shift-clock.ts');

/** A process of the stage. */
export interface Actor {
  readonly name: string;
  readonly child: ChildProcess;
  readonly machine: Machine | undefined;
  /** Its output. */
  readonly lines: readonly string[];
  /** @throws Error when it ends without one */
  readonly firstLine: Promise<string>;
  readonly closed: Promise<void>;
}

/** How a run ended, as its process prints it. */
export interface Ended {
  readonly outcome?: string;
  readonly answer?: string;
  readonly usage?: {
    readonly calls: number;
    readonly possiblyBilled: number;
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly costUsd: number;
  };
  readonly attempts?: readonly Attempt[];
  readonly failed?: { readonly code: string; readonly message: string; readonly resumable: boolean };
}

/** An attempt in the account of a run. */
export interface Attempt {
  readonly key: string;
  /** It was in flight when its process was gone. */
  readonly inFlight: boolean;
  readonly possiblyBilled?: boolean;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
}

/** The machines and servers of one test file. */
export class Stage {
  readonly mock: MockProvider;
  readonly redis: RedisServer;
  /** Undefined: runs are stored in a folder. */
  readonly postgres: PostgresServer | undefined;
  readonly machines: Readonly<Record<string, Machine | undefined>>;
  readonly actors: Set<Actor> = new Set();
  readonly #network: Network | undefined;
  readonly #folder: string;

  private constructor(parts: {
    readonly mock: MockProvider;
    readonly redis: RedisServer;
    readonly postgres: PostgresServer | undefined;
    readonly machines: Readonly<Record<string, Machine | undefined>>;
    readonly network: Network | undefined;
    readonly folder: string;
  }) {
    this.mock = parts.mock;
    this.redis = parts.redis;
    this.postgres = parts.postgres;
    this.machines = parts.machines;
    this.#network = parts.network;
    this.#folder = parts.folder;
  }

  /** @param names of the machines beside those of the servers */
  static async open(names: readonly string[], respond: MockResponder): Promise<Stage> {
    const network = noMachines() === undefined ? openNetwork() : undefined;
    const all = ['redis', 'postgres', ...names].map((name) => [name, network?.machine(name)] as const);
    const machines = Object.fromEntries(all);
    const mock = await startMockProvider({ respond, ...(network !== undefined && { host: network.address }) });
    const folder = await mkdtemp(join(tmpdir(), 'fathom-stage-'));
    const postgres = NO_POSTGRES === undefined ? await startPostgres(machines.postgres) : undefined;
    const redis = await startRedis(machines.redis);
    return new Stage({ mock, redis, postgres, machines, network, folder });
  }

  /** The store of a run: a schema of its own in Postgres, or a folder. */
  storeOf(name: string): string {
    return this.postgres === undefined ? join(this.#folder, name) : `${this.postgres.url}#${name.replaceAll('-', '_')}`;
  }

  /** Starts a worker; resolves when it takes children. */
  async worker(name: string, queue: string): Promise<Actor> {
    const actor = this.#start(name, [WORKER, this.redis.url, queue, `${LEASE_MS}`], {});
    await actor.firstLine;
    return actor;
  }

  /** Starts the process that asks. With an id it resumes the run. */
  run(
    name: string,
    { queue, store, runId, env = {} }: RunOptions,
  ): Actor & { readonly id: Promise<string>; readonly ended: Promise<Ended> } {
    const args = [RUN, this.storeOf(store), ...(runId === undefined ? [] : [runId])];
    const actor = this.#start(name, args, { FATHOM_TEST_REDIS: this.redis.url, FATHOM_TEST_QUEUE: queue, ...env });
    const id = actor.firstLine.then((line) => (JSON.parse(line) as { readonly runId: string }).runId);
    id.catch(() => undefined);
    const ended = actor.closed.then(() => JSON.parse(actor.lines[1] ?? '{}') as Ended);
    return Object.assign(actor, { id, ended });
  }

  /** Jobs of a queue by state, of those that are not empty. */
  async jobs(queue: string): Promise<Readonly<Record<string, number>>> {
    const found = new Queue(`fathom-${queue}`, { connection: { url: this.redis.url } });
    try {
      return Object.fromEntries(Object.entries(await found.getJobCounts()).filter(([, count]) => count > 0));
    } finally {
      await found.close();
    }
  }

  /** The state of each process: for a round that does not end. */
  report(): string {
    const rows = [...this.actors].map(({ name, child, lines }) => {
      const over = child.exitCode ?? child.signalCode;
      const state = over === null ? stateOf(child.pid) : `ended (${over})`;
      return `${name} (${child.pid}): ${state}; its last line: ${(lines.at(-1) ?? 'none').slice(0, 300)}`;
    });
    return [...rows, `calls in flight at the provider: ${this.mock.inFlight}`].join('\n');
  }

  /** Ends all processes but the servers, and mends the network. */
  clear(): void {
    for (const actor of this.actors) this.drop(actor);
    for (const machine of Object.values(this.machines)) machine?.mend();
  }

  drop(actor: Actor): void {
    actor.child.kill('SIGKILL');
    this.actors.delete(actor);
  }

  async close(): Promise<void> {
    this.clear();
    await this.mock.close();
    await this.redis.stop();
    await this.postgres?.stop();
    this.#network?.close();
    await rm(this.#folder, { recursive: true });
  }

  #start(name: string, args: readonly string[], env: Readonly<Record<string, string>>): Actor {
    const { HOME = '', PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
    const machine = this.machines[name];
    // A cache for each machine: contexts travel.
    const own = {
      HOME,
      PATH,
      NODE_COMPILE_CACHE,
      ...this.mock.env,
      FATHOM_CACHE_DIR: join(this.#folder, 'cache', name),
      ...env,
    };
    const child = spawnOn(machine, [process.execPath, '--no-warnings', '--import', CLOCK, ...args], {
      env: own,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    const first = Promise.withResolvers<string>();
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line);
        first.resolve(line);
      });
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    void closed.then(() => first.reject(new Error(`${name} ended before it printed a line`)));
    first.promise.catch(() => undefined);
    const actor: Actor = { name, child, machine, lines, firstLine: first.promise, closed };
    this.actors.add(actor);
    return actor;
  }
}

interface RunOptions {
  readonly queue: string;
  /** Name of its store. */
  readonly store: string;
  readonly runId?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** As the kernel says: running, sleeping, stopped. */
function stateOf(pid: number | undefined): string {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return /State:\s+(.*)/.exec(status)?.[1] ?? 'unknown';
  } catch {
    return 'gone';
  }
}

/** Waits for work, but not longer than so many milliseconds. @throws Error with a report of the stage */
export async function within<T>(
  work: Promise<T>,
  { ms, what, stage }: { readonly ms: number; readonly what: string; readonly stage: Stage },
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${what} took longer than ${ms / 1_000} s.\n${stage.report()}`)),
    ms,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
