import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { folderWith, incompletePackage } from '../package-files.ts';
import { SCHEMA_CHECK_MS, SCHEMA_IDLE_MS, SCHEMA_MEMORY_MIB, SCHEMA_WORKERS } from './limits.ts';
import type { ValidationIssue, ValidationReply, ValidationRequest } from './validator-worker.ts';

interface Job {
  readonly schema: string;
  readonly value: unknown;
  readonly resolve: (issues: readonly ValidationIssue[]) => void;
  readonly reject: (error: Error) => void;
}

/** Schemas whose check exceeded the time limit, with the limit of the next check: half of the last. */
const slow = new Map<string, number>();
const MOST_SLOW = 200;

const queue: Job[] = [];
const idle: ValidationWorker[] = [];
let started = 0;
let lastId = 0;

/**
 * Validates a value against a JSON Schema (JSON text) in a worker thread, so the event loop continues. All callers share
 * at most `SCHEMA_WORKERS` threads, which start on demand and end when idle.
 *
 * @returns every issue; empty for a value that fits
 * @throws Error when the check exceeds `SCHEMA_CHECK_MS` or `SCHEMA_MEMORY_MIB`, or the schema fails itself
 */
export function validateInWorker(schema: string, value: unknown): Promise<readonly ValidationIssue[]> {
  return new Promise((resolve, reject) => {
    queue.push({ schema, value, resolve, reject });
    pump();
  });
}

function pump(): void {
  while (queue.length > 0) {
    const worker = idle.pop() ?? (started < SCHEMA_WORKERS ? new ValidationWorker() : undefined);
    if (worker === undefined) return;
    const job = queue.shift();
    if (job !== undefined) worker.run(job);
  }
}

/** One thread: one job at a time. */
class ValidationWorker {
  readonly #worker: Worker;
  #job: (Job & { readonly id: number }) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    started += 1;
    this.#worker = new Worker(workerUrl(), {
      name: 'fathom-schema',
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxOldGenerationSizeMb: SCHEMA_MEMORY_MIB },
    });
    this.#worker.on('message', (reply: ValidationReply) => this.#replied(reply));
    this.#worker.once('error', (error) => this.#failed(failureOf(error)));
    this.#worker.once('exit', () => this.#failed(new Error('the thread that checks schemas has ended')));
  }

  run(job: Job): void {
    clearTimeout(this.#timer);
    const id = ++lastId;
    this.#job = { ...job, id };
    // A check under way keeps the process alive; an idle thread does not.
    this.#worker.ref();
    try {
      this.#worker.postMessage({ id, schema: job.schema, value: job.value } satisfies ValidationRequest);
    } catch (error) {
      this.#replied({ id, failure: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Starts the clock of a check: for the check alone, and not for the start of the thread. */
  #watch(job: Job): void {
    const ms = slow.get(job.schema) ?? SCHEMA_CHECK_MS;
    // A result that came while this process was busy is taken before its time is found to be up.
    const isUp = (): void => void setImmediate(() => this.#job === job && this.#tooSlow(job.schema, ms));
    this.#timer = setTimeout(isUp, ms);
  }

  #tooSlow(schema: string, ms: number): void {
    remember(schema, ms);
    this.#failed(
      new Error(
        `checking the answer took longer than ${ms} ms, the limit for one check: use a shorter answer or a simpler schema`,
      ),
    );
  }

  #replied(reply: ValidationReply): void {
    const job = this.#job;
    if (job === undefined || job.id !== reply.id) return;
    if ('begun' in reply) {
      this.#watch(job);
      return;
    }
    this.#job = undefined;
    clearTimeout(this.#timer);
    this.#worker.unref();
    idle.push(this);
    this.#timer = setTimeout(() => this.#end(), SCHEMA_IDLE_MS);
    this.#timer.unref();
    if ('failure' in reply) job.reject(new Error(reply.failure));
    else job.resolve(reply.issues);
    pump();
  }

  #failed(error: Error): void {
    const job = this.#job;
    this.#job = undefined;
    this.#end();
    job?.reject(error);
    pump();
  }

  #ended = false;

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    started -= 1;
    clearTimeout(this.#timer);
    const at = idle.indexOf(this);
    if (at >= 0) idle.splice(at, 1);
    this.#worker.unref();
    this.#worker.terminate().catch(() => undefined); // it has ended by itself
  }
}

function remember(schema: string, ms: number): void {
  slow.delete(schema);
  slow.set(schema, Math.max(1, Math.floor(ms / 2)));
  for (const [oldest] of slow) {
    if (slow.size <= MOST_SLOW) break;
    slow.delete(oldest);
  }
}

function failureOf(error: unknown): Error {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  if (code !== 'ERR_WORKER_OUT_OF_MEMORY') return new Error(message ?? String(error));
  return new Error(
    `checking the answer took more than ${SCHEMA_MEMORY_MIB} MiB of memory, the limit for one check: use a shorter answer or a simpler schema`,
  );
}

/** The source in a checkout; in the package a built module, wherever the bundler put this one. */
function workerUrl(): URL {
  for (const name of ['schema/validator-worker.mjs', 'schema/validator-worker.ts']) {
    const folder = folderWith(name);
    if (folder !== undefined) return pathToFileURL(join(folder, name));
  }
  throw incompletePackage('dist/schema/validator-worker.mjs');
}
