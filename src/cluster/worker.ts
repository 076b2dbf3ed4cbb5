import type { Job, Worker } from 'bullmq';
import { invalidOption } from '../argument-checks.ts';
import { createEngines, type Engines } from '../create-engine.ts';
import { messageOf } from '../errors.ts';
import type { JsonValue } from '../repl/port.ts';
import type { RlmOptions } from '../rlm-options.ts';
import type { ChildJob } from './child-job.ts';
import { type ClusterConnection, type ClusterOptions, openConnection } from './connection.ts';
import { ContentCache } from './content-cache.ts';
import { errorAsJson } from './error-json.ts';
import type { RemoteCall } from './remote-calls.ts';
import { RemoteParent } from './remote-parent.ts';
import { runChildHere } from './run-child-here.ts';

/** Options of {@link startWorker}. */
export interface WorkerOptions
  extends ClusterOptions,
    Pick<RlmOptions, 'repl' | 'isolation' | 'maxRepls' | 'maxQueuedRuns' | 'prices' | 'headers'> {
  /** Children at once. Default: as many REPLs as this machine has room for. */
  readonly concurrency?: number;
  /** How long this worker keeps a child without renewing it: after that, another worker takes the child over. Milliseconds, from 1 000. Default 15 000. */
  readonly leaseMs?: number;
  /** Bytes of contexts kept on this machine. Default 2 GiB. */
  readonly contextCacheBytes?: number;
  /** Called with one line for each child that begins and ends. */
  readonly onLine?: (line: string) => void;
}

/** A process that runs children of other processes. */
export interface ClusterWorker extends AsyncDisposable {
  /** Children under way. */
  readonly active: number;
  /** Takes no more children, lets those under way end, and closes. With `now`, they are left to other workers. */
  close(options?: { readonly now?: boolean }): Promise<void>;
}

const LEASE_MS = 15_000;
const LEAST_LEASE_MS = 1_000;

/** Workers that may end while they have the same child. */
const MOST_WORKERS = 1_000;

/**
 * Runs children of other processes until it is closed: `fathom worker`. Models are resolved here, with this machine's keys; each of their calls
 * waits until the process that asked has reserved and recorded it.
 *
 * @throws RlmError `invalid-option`
 */
export async function startWorker(options: WorkerOptions): Promise<ClusterWorker> {
  const { leaseMs = LEASE_MS, contextCacheBytes, onLine = () => undefined } = options;
  if (!(leaseMs >= LEAST_LEASE_MS)) throw invalidOption(`The option leaseMs has to be at least ${LEAST_LEASE_MS}`);
  const engines = createEngines(rlmOptions(options));
  const { concurrency = engines.places.maxRepls } = options;
  if (!Number.isSafeInteger(concurrency) || concurrency < 1)
    throw invalidOption('The option concurrency has to be a whole number from 1');
  const parents = new Map<string, RemoteParent>();
  const connection = await openConnection(options, (call) => Promise.resolve(takeCall(parents, call)));
  connection.announce();
  const cache = new ContentCache(contextCacheBytes);
  const serving: Serving = { engines, connection, parents, cache, leaseMs, onLine };
  const worker = new connection.packages.bullmq.Worker<ChildJob>(
    connection.queueName,
    (job) => serveJob(job, serving),
    {
      ...{ connection: connection.connect(), concurrency },
      ...{ lockDuration: leaseMs, stalledInterval: Math.ceil(leaseMs / 2), maxStalledCount: MOST_WORKERS },
    },
  );
  worker.on('error', () => undefined);
  let closing: Promise<void> | undefined;
  const close = async ({ now = false }: { readonly now?: boolean } = {}): Promise<void> => {
    closing ??= closeWorker(worker, serving, now);
    await closing;
  };
  return {
    get active() {
      return parents.size;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Serving {
  readonly engines: Engines;
  readonly connection: ClusterConnection;
  /** By the id of the child where it was asked for. */
  readonly parents: Map<string, RemoteParent>;
  readonly cache: ContentCache;
  readonly leaseMs: number;
  readonly onLine: (line: string) => void;
}

/** The model of an `Rlm` is never asked here: each child brings its own. */
function rlmOptions({ repl, isolation, maxRepls, maxQueuedRuns, prices, headers }: WorkerOptions): RlmOptions {
  const given = { repl, isolation, maxRepls, maxQueuedRuns, prices, headers };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { model: 'none/none', ...(Object.fromEntries(set) as Partial<RlmOptions>) };
}

async function serveJob({ data: job }: Job<ChildJob>, serving: Serving): Promise<void> {
  const { engines, connection, parents, cache, leaseMs, onLine } = serving;
  const parent = new RemoteParent({ job, calls: connection.calls, leaseMs });
  // The queue gave the child to this worker again, which was cut off while it ran it.
  parents.get(job.childId)?.abandon('This child was begun again.');
  parents.set(job.childId, parent);
  onLine(`${job.runId} begins`);
  try {
    parent.watch(connection.isPresent);
    const entries = await parent.hello();
    checkVersion(job);
    const result = await runChildHere({ job, entries, parent, engine: engines.engineFor(), cache });
    await parent.ask('end', { result: result as unknown as JsonValue });
    onLine(`${job.runId} ended: ${result.outcome}`);
  } catch (error) {
    onLine(`${job.runId} ended: ${messageOf(error)}`);
    // A process that has ended, or gave the child to another worker, needs no answer.
    await parent.ask('end', { error: errorAsJson(error) }).catch(() => undefined);
  } finally {
    if (parents.get(job.childId) === parent) parents.delete(job.childId);
    parent.close();
  }
}

/** The process that asked gets the error, so that its run does not wait for ever. @throws RlmError `invalid-option` */
function checkVersion({ version }: ChildJob): void {
  const found: unknown = version;
  if (found === 1) return;
  throw invalidOption(
    `This worker knows children of version 1, not ${String(found)}: use the same version of fathom-rlm everywhere`,
  );
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
  await worker.close(now);
  await engines.backends.close();
  await connection.close();
}
