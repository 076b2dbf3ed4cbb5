import type { Job, Queue } from 'bullmq';
import type { ChildJob } from './child-job.ts';
import type { RemoteChild } from './remote-child.ts';

/** Milliseconds without a word of its worker after which the queue is asked for a child. */
const QUIET_MS = 3_000;

/**
 * The place of a child in the queue. A worker that takes this process for gone gives its child up, and the queue forgets it: when this
 * process was stopped or cut off for a while, it has to ask for the child again.
 */
export class QueuePlace {
  readonly #queue: Queue;
  readonly #job: ChildJob;
  readonly #child: Pick<RemoteChild, 'quietMs'>;
  #queued: Job;
  #times = 1;
  #timer: NodeJS.Timeout | undefined;
  #left = false;

  private constructor(
    queue: Queue,
    {
      job,
      child,
      queued,
    }: { readonly job: ChildJob; readonly child: Pick<RemoteChild, 'quietMs'>; readonly queued: Job },
  ) {
    this.#queue = queue;
    this.#job = job;
    this.#child = child;
    this.#queued = queued;
    this.#lookLater();
  }

  static async take(queue: Queue, job: ChildJob, child: Pick<RemoteChild, 'quietMs'>): Promise<QueuePlace> {
    return new QueuePlace(queue, { job, child, queued: await addTo(queue, job, 1) });
  }

  /** The child has ended. One that was `cancelled` may still wait there; a worker that works on it removes it itself. */
  async leave(cancelled: boolean): Promise<void> {
    this.#left = true;
    clearTimeout(this.#timer);
    if (cancelled) await this.#queued.remove().catch(() => undefined);
  }

  #lookLater(): void {
    if (this.#left) return;
    // Without Redis there is nothing to look at: everything waits for it as well.
    const look = (): void =>
      void this.#look().then(
        () => this.#lookLater(),
        () => this.#lookLater(),
      );
    this.#timer = setTimeout(look, QUIET_MS).unref();
  }

  async #look(): Promise<void> {
    if (this.#child.quietMs < QUIET_MS || (await this.#queued.getState()) !== 'unknown' || this.#left) return;
    this.#times += 1;
    this.#queued = await addTo(this.#queue, this.#job, this.#times);
  }
}

function addTo(queue: Queue, job: ChildJob, times: number): Promise<Job> {
  const jobId = `${job.runId}-${job.childId}-${times}`;
  return queue.add('child', job, { jobId, removeOnComplete: true, removeOnFail: true });
}
