import type { Queue } from 'bullmq';
import { steadyClock, systemClock } from '../clock.ts';
import type { CompletionResult } from '../engine/result.ts';
import type { ChildOptions, ChildRunner } from '../engine/run.ts';
import { RlmError } from '../errors.ts';
import type { JsonValue } from '../repl/port.ts';
import { childJob } from './child-job.ts';
import { type ClusterConnection, type ClusterOptions, openConnection, openQueue, withoutRedis } from './connection.ts';
import { PaceDesk } from './pace-desk.ts';
import { PaceHolder } from './pace-holder.ts';
import { QueuePlace } from './queue-place.ts';
import { connectionClosed, type RemoteCall } from './remote-calls.ts';
import { RemoteChild } from './remote-child.ts';
import { queueRun, type RunQueue } from './run-job.ts';
import { sharedRates } from './shared-rates.ts';

/** Workers that run the children of this process's runs. */
export interface Cluster extends ChildRunner, AsyncDisposable {
  /** Children that wait for a worker, and that workers run, from all processes of the queue. */
  status(): Promise<{ readonly waiting: number; readonly active: number }>;
  /** Cancels children under way. */
  close(): Promise<void>;
}

/**
 * Connects to the workers of a queue. Children (`rlm_query`) of an `Rlm` with this `cluster` run there; their calls are reserved in
 * this process's ledger, and recorded in its journal, before they are sent. It needs the packages `bullmq` and `ioredis`.
 *
 * @throws RlmError `invalid-option`
 *
 * @example
 * ```ts
 * const cluster = await connectCluster({ redis: 'redis://localhost:6379' });
 * const rlm = createRlm({ model: 'openai/gpt-5', limits: { maxDepth: 2, maxConcurrentChildren: 100 }, cluster });
 * ```
 */
export async function connectCluster(options: ClusterOptions): Promise<Cluster> {
  const children = new Map<string, RemoteChild>();
  const clock = steadyClock(systemClock);
  let desk: PaceDesk | undefined;
  const connection = await openConnection(options, async (call) => {
    const answer = await desk?.serve(call);
    return answer === undefined ? await serve(children, call) : answer;
  });
  const { calls, redis } = connection;
  desk = new PaceDesk({ clock, isPresent: connection.isPresent });
  const holder = new PaceHolder({ redis, key: connection.key('pace'), own: calls.id });
  let lost: RlmError | undefined;
  connection.announce({
    onReport: (line) => {
      lost = undefined;
      for (const child of children.values()) child.report(line);
    },
    onLost: (error) => {
      lost = error;
      for (const child of children.values()) child.fail(error);
    },
  });
  const queue = openQueue(connection, connection.queueName);
  let runs: RunQueue | undefined;
  let closed = false;

  async function runChild(options: ChildOptions): Promise<CompletionResult<unknown>> {
    if (closed) throw connectionClosed();
    if (lost !== undefined) options.parent.stop.fail(lost);
    return await runRemotely(options, { children, connection, queue });
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    for (const child of children.values())
      child.stop(new RlmError({ code: 'cancelled', message: 'The cluster was closed.' }));
    await Promise.all([withoutRedis(queue.close()), runs && withoutRedis(runs.close())]);
    await withoutRedis(holder.close());
    await connection.close();
  }
  return {
    runChild,
    rates: sharedRates({ calls, holder, desk, clock }),
    async queueRun(runId) {
      runs ??= openQueue(connection, connection.runQueueName);
      await queueRun(runs, runId);
    },
    async status() {
      const { waiting = 0, active = 0 } = await queue.getJobCounts('waiting', 'active');
      return { waiting, active };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Parts {
  readonly children: Map<string, RemoteChild>;
  readonly connection: ClusterConnection;
  readonly queue: Queue;
}

async function runRemotely(
  options: ChildOptions,
  { children, connection, queue }: Parts,
): Promise<CompletionResult<unknown>> {
  const { signal, parent } = options;
  const { job, content } = await childJob(options, connection.calls.id);
  const { calls, isPresent } = connection;
  const child = await RemoteChild.open(options, { childId: job.childId, calls, isPresent, content });
  children.set(job.childId, child);
  const onAbort = (): void => child.stop(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const place = QueuePlace.take(queue, job, child);
    const reported = parent.clock.schedule(NO_WORKER_MS, () => child.reportWaiting());
    try {
      // Without Redis it is not added for as long as that is silent.
      await Promise.race([place, child.ended]);
      return await child.ended;
    } finally {
      reported();
      if (signal.aborted) await withoutRedis(place.then((taken) => taken.leave(true)));
      else await (await place).leave(false);
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    children.delete(job.childId);
    await child.close();
  }
}

/** Milliseconds after which a child that no worker has taken is reported. */
const NO_WORKER_MS = 10_000;

async function serve(children: ReadonlyMap<string, RemoteChild>, call: RemoteCall): Promise<JsonValue> {
  const { childId } = call.body as { readonly childId: string };
  const child = children.get(childId);
  if (child === undefined) {
    throw new RlmError({
      code: 'cancelled',
      message: 'The run that asked for this child has ended, or continues elsewhere.',
    });
  }
  return await child.serve(call);
}
