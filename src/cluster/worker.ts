import type { Job, Worker } from 'bullmq';
import { invalidOption } from '../argument-checks.ts';
import { createEngines, type Engines } from '../create-engine.ts';
import { messageOf, type RlmError } from '../errors.ts';
import { defaultMaxRepls } from '../limits.ts';
import type { JsonValue } from '../repl/port.ts';
import type { RlmOptions } from '../rlm-options.ts';
import type { Store } from '../store/index.ts';
import type { ChildJob } from './child-job.ts';
import { type ClusterConnection, type ClusterOptions, openConnection, openQueue, withoutRedis } from './connection.ts';
import { ContentCache } from './content-cache.ts';
import { errorAsJson, isTakenOver } from './error-json.ts';
import type { RemoteCall } from './remote-calls.ts';
import { RemoteParent } from './remote-parent.ts';
import { runChildHere } from './run-child-here.ts';
import { checkVersion } from './run-job.ts';
import { startRunWorker } from './run-worker.ts';
import { WorkerFacts } from './worker-facts.ts';

/** Options of {@link startWorker}. */
export interface WorkerOptions
  extends ClusterOptions,
    Pick<RlmOptions, 'repl' | 'isolation' | 'maxRepls' | 'maxQueuedRuns' | 'prices' | 'headers'> {
  /** Children at once. Default: as many REPLs as this machine has room for. */
  readonly concurrency?: number;
  /**
   * Opens the store of whole runs, which this worker then takes as well; again where it failed. Default: children only.
   *
   * @example `() => postgresStore(process.env.FATHOM_STORE)`
   */
  readonly store?: () => Store;
  /** Whole runs at once, beside the children. Default: a quarter of the REPLs that this machine has room for, and at least one. */
  readonly runs?: number;
  /** How long this worker keeps a child without renewing it: after that, another worker takes the child over. Milliseconds, from 1 000. Default 15 000. */
  readonly leaseMs?: number;
  /** Bytes of contexts kept on this machine. Default 2 GiB. */
  readonly contextCacheBytes?: number;
  /** Called with one line for each child and each run that begins and ends. */
  readonly onLine?: (line: string) => void;
}

/** A process that runs children of other processes, and whole runs. */
export interface ClusterWorker extends AsyncDisposable {
  /** Children under way. */
  readonly active: number;
  /** Whole runs under way. */
  readonly activeRuns: number;
  /** Its figures as Prometheus reads them. */
  metrics(): Promise<string>;
  /** Resolves when Redis has been silent for longer than `retryMs`: close the worker with `now`, and start it again. */
  readonly lost: Promise<RlmError>;
  /**
   * Takes no more runs and lets those under way end; then the same for children, which its own runs may have asked for. With
   * `now`, all of them are left to other workers.
   */
  close(options?: { readonly now?: boolean }): Promise<void>;
}

/** Of the REPLs of a worker, one in so many is for whole runs. */
const RUN_SHARE = 4;

const LEASE_MS = 15_000;
const LEAST_LEASE_MS = 1_000;

/** Workers that may end while they have the same child. */
const MOST_WORKERS = 1_000;

/**
 * Runs children of other processes, and whole runs where it has a store, until it is closed: `fathom worker`. Models are resolved here, with this machine's keys; each of their calls
 * waits until the process that asked has reserved and recorded it.
 *
 * @throws RlmError `invalid-option`
 */
export async function startWorker(options: WorkerOptions): Promise<ClusterWorker> {
  const { leaseMs = LEASE_MS, contextCacheBytes, store, onLine = () => undefined } = options;
  if (!(leaseMs >= LEAST_LEASE_MS)) throw invalidOption(`The option leaseMs has to be at least ${LEAST_LEASE_MS}`);
  const { maxRepls = defaultMaxRepls() } = options;
  const { runs = Math.max(1, Math.floor(maxRepls / RUN_SHARE)) } = options;
  checkCount('runs', runs);
  // Runs have room of their own: they wait for children, so children must not wait for them.
  const childRepls = store === undefined ? maxRepls : Math.max(1, maxRepls - runs);
  const rlm = rlmOptions(options);
  const engines = createEngines({ ...rlm, maxRepls: childRepls });
  const { concurrency = childRepls } = options;
  checkCount('concurrency', concurrency);
  const parents = new Map<string, RemoteParent>();
  const connection = await openConnection(options, (call) => Promise.resolve(takeCall(parents, call)));
  const lost = Promise.withResolvers<RlmError>();
  const facts = new WorkerFacts();
  const onSilence = (silentMs: number): void => {
    facts.redisSilentMs = silentMs;
  };
  connection.announce({ onReport: onLine, onLost: lost.resolve, onSilence });
  const queue = openQueue(connection, connection.queueName);
  const cache = new ContentCache(contextCacheBytes);
  const serving: Serving = { engines, connection, parents, cache, leaseMs, facts, onLine };
  const worker = new connection.packages.bullmq.Worker<ChildJob>(
    connection.queueName,
    (job) => serveJob(job, serving),
    {
      ...{ connection: connection.connect(), concurrency },
      ...{ lockDuration: leaseMs, stalledInterval: Math.ceil(leaseMs / 2), maxStalledCount: MOST_WORKERS },
    },
  );
  worker.on('error', () => undefined);
  const shared = { cluster: options, connection, rlm, runs, leaseMs, mostWorkers: MOST_WORKERS, facts, onLine };
  const runWorker = store === undefined ? undefined : await startRunWorker({ ...shared, openStore: store });
  let closing: Promise<void> | undefined;
  const close = async ({ now = false }: { readonly now?: boolean } = {}): Promise<void> => {
    closing ??= (async () => {
      await runWorker?.close(now);
      await withoutRedis(queue.close());
      await closeWorker(worker, serving, now);
    })();
    await closing;
  };
  return {
    get active() {
      return parents.size;
    },
    get activeRuns() {
      return runWorker?.active ?? 0;
    },
    lost: lost.promise,
    async metrics() {
      const { waiting = 0 } = await queue.getJobCounts('waiting');
      const { workerMetrics } = await import('./worker-metrics.ts');
      const most = { maxChildren: concurrency, maxRuns: store === undefined ? 0 : runs };
      return await workerMetrics(facts, { children: parents.size, runs: runWorker?.active ?? 0, ...most, waiting });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** @throws RlmError `invalid-option` */
function checkCount(name: string, count: number): void {
  if (Number.isSafeInteger(count) && count >= 1) return;
  throw invalidOption(`The option ${name} has to be a whole number from 1`);
}

interface Serving {
  readonly engines: Engines;
  readonly connection: ClusterConnection;
  /** By the id of the child where it was asked for. */
  readonly parents: Map<string, RemoteParent>;
  readonly cache: ContentCache;
  readonly leaseMs: number;
  readonly facts: WorkerFacts;
  readonly onLine: (line: string) => void;
}

/** The model of an `Rlm` is never asked here: each child brings its own. */
function rlmOptions({ repl, isolation, maxRepls, maxQueuedRuns, prices, headers }: WorkerOptions): RlmOptions {
  const given = { repl, isolation, maxRepls, maxQueuedRuns, prices, headers };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { model: 'none/none', ...(Object.fromEntries(set) as Partial<RlmOptions>) };
}

async function serveJob({ data: job }: Job<ChildJob>, serving: Serving): Promise<void> {
  const { engines, connection, parents, cache, leaseMs, facts, onLine } = serving;
  const onCall = (): void => {
    facts.calls += 1;
  };
  const parent = new RemoteParent({ job, calls: connection.calls, leaseMs, onCall });
  // The queue gave the child to this worker again, which was cut off while it ran it.
  parents.get(job.childId)?.abandon('This child was begun again.');
  parents.set(job.childId, parent);
  onLine(`${job.runId} begins`);
  facts.begin('child');
  try {
    parent.watch(connection.isPresent);
    const entries = await parent.hello();
    checkVersion('children', job.version);
    const result = await runChildHere({ job, entries, parent, engine: engines.engineFor(), cache });
    await parent.ask('end', { result: result as unknown as JsonValue });
    onLine(`${job.runId} ended: ${result.outcome}`);
    facts.end('child', result.outcome);
  } catch (error) {
    onLine(`${job.runId} ended: ${messageOf(error)}`);
    facts.end('child', 'failed');
    if (isTakenOver(error)) facts.takenOver += 1;
    // A process that has ended, or gave the child to another worker, needs no answer.
    await parent.ask('end', { error: errorAsJson(error) }).catch(() => undefined);
  } finally {
    if (parents.get(job.childId) === parent) parents.delete(job.childId);
    parent.close();
  }
}

/** Calls to this worker: a child is stopped. */
function takeCall(parents: ReadonlyMap<string, RemoteParent>, { method, body }: RemoteCall): JsonValue {
  const { childId, reason } = body as { readonly childId: string; readonly reason: string };
  if (method === 'cancel') parents.get(childId)?.cancel(reason);
  return null;
}

async function closeWorker(worker: Worker, { connection, engines, parents }: Serving, now: boolean): Promise<void> {
  if (now)
    for (const parent of parents.values()) parent.abandon('The worker was closed: another one takes the child over.');
  await (now ? withoutRedis(worker.close(true)) : worker.close());
  await engines.backends.close();
  await connection.close();
}
