/**
 * The pyodide backend's part of the REPL that all backends share: its worker's life, texts, bash, snapshots.
 *
 * @module
 */
import { RlmError } from '../../errors.ts';
import {
  AS_BEFORE,
  captureOutput,
  createGuestLink,
  encodeExact,
  type GuestLink,
  guestEnded,
  type RecoveredGuest,
  type ReplDriver,
} from '../channel/index.ts';
import type { BashOutcome, BashRequest, ReplHost, ReplLimits, RestartInfo } from '../port.ts';
import { createBusyPolling } from './busy-polling.ts';
import { makeLoadedTexts } from './loaded-texts.ts';
import { restoreIntoWorker } from './restore-into-worker.ts';
import { makeShownFiles } from './shown-files.ts';
import { makeSnapshotRecords, type SnapshotRecords } from './snapshot-records.ts';
import { AUTOMATIC, type BashAnswer, type BashHeader, type ConfigureHeader, RUNTIME } from './worker/protocol.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface DriverOptions {
  readonly worker: WorkerHandle;
  readonly limits: ReplLimits;
  readonly host: ReplHost;
  /** A booted worker, from the spares where there is one. */
  readonly takeWorker: () => Promise<WorkerHandle>;
  /** Bytes that the snapshots of this REPL may take. */
  readonly storeBytes: number;
  readonly onClose: () => void;
}

const AS_EARLIER =
  'variables and files are as they were before an earlier cell: snapshots had used up their limit (snapshotBytes) since';
const ALL_LOST = 'all variables, files and snapshots are lost; values the caller bound are bound again';
const NOTHING_LEFT = 'all variables and files are gone';
/** Milliseconds between a soft interrupt of bash and the kill. */
const BASH_GRACE_MS = 1_000;

/** Makes the driver of one REPL. */
export async function createDriver(options: DriverOptions): Promise<ReplDriver> {
  const { limits } = options;
  let worker = options.worker;
  const records = makeSnapshotRecords();
  const shown = makeShownFiles();
  const texts = makeLoadedTexts({ memoryBytes: limits.memoryBytes });

  async function adopt(fresh: WorkerHandle): Promise<GuestLink> {
    worker = fresh;
    fresh.onSaved = (frame) => records.add(frame);
    const link = linkTo(fresh, options, records);
    const header: ConfigureHeader = {
      memoryBytes: limits.memoryBytes,
      diskBytes: limits.diskBytes,
      storeBytes: options.storeBytes,
    };
    await fresh.ask(RUNTIME.configure, header);
    return link;
  }
  /** A fresh worker with the state of a snapshot; without one, with nothing. */
  async function replace(reason: string, name: string): Promise<GuestLink> {
    const old = worker;
    old.kill(reason);
    records.discard();
    const [fresh] = await Promise.all([options.takeWorker(), old.busy(() => old.ended)]);
    try {
      const link = await adopt(fresh);
      if (records.get(name) === undefined) {
        shown.forget();
        return link;
      }
      await shown.handOver(old, fresh);
      await restoreIntoWorker({ store: old.store, worker: fresh, records, texts, name });
      return await reseeded(link);
    } catch (error) {
      fresh.kill('it could not take over');
      throw error;
    } finally {
      old.release();
    }
  }
  async function afresh(reason: string): Promise<RecoveredGuest> {
    for (const { header } of [...records.all()]) records.delete(header.name);
    return { link: await replace(reason, AUTOMATIC), fresh: true, current: false, lost: ALL_LOST };
  }
  async function recover(reason: string): Promise<RecoveredGuest> {
    const known = records.get(AUTOMATIC) !== undefined;
    const { stale } = records;
    const link = await replace(reason, AUTOMATIC);
    // Every cell leaves a snapshot: without one, none has run, and what the host bound is bound again.
    const lost = stale ? (known ? AS_EARLIER : NOTHING_LEFT) : AS_BEFORE;
    return { link, fresh: !known, current: !stale, lost };
  }

  let link = await adopt(worker);
  return {
    backend: 'pyodide',
    isolation: worker.level,
    shell: 'just-bash',
    link,
    understood: () => records.accept(),
    describeFile: (value) => texts.load(worker, value),
    showFiles: (files) => shown.show(worker, files),
    async recover(reason, from) {
      const recovered = await (from === 'scratch' ? afresh(reason) : recover(reason));
      link = recovered.link;
      return recovered;
    },
    async bash(request) {
      records.accept();
      const ran = await runBash(worker, request, limits);
      if (ran.lost === undefined) return ran.outcome;
      const { killed } = worker;
      const recovered = await recover(ran.lost);
      link = recovered.link;
      const restarted: RestartInfo = { reason: ran.lost, lost: recovered.lost, killed };
      return { ...ran.outcome, restarted };
    },
    async capture(id) {
      records.accept();
      const { header } = await worker.ask(RUNTIME.save, { name: id });
      if ((header as { saved?: unknown }).saved !== true) throw quotaUsedUp(options.storeBytes);
      return { bytes: records.ownBytes(id) };
    },
    async restore(id) {
      records.accept();
      if (link.failure === undefined) {
        try {
          await worker.ask(RUNTIME.restore, { name: id, reload: [] });
          return await reseeded(link);
        } catch {
          // The worker died of it: the snapshot is in the store all the same.
        }
      }
      link = await replace('rollback', id);
      return link;
    },
    async discard(id) {
      records.delete(id);
      if (link.failure === undefined) await worker.ask(RUNTIME.drop, { name: id });
    },
    async close() {
      options.onClose();
      worker.kill('the REPL was closed');
      await worker.busy(() => worker.ended);
      worker.release();
    },
  };
}

/** Commands that run code of the model. */
const RUNS_CODE: ReadonlySet<string> = new Set(['execute', 'answer']);

function linkTo(worker: WorkerHandle, { limits, host }: DriverOptions, records: SnapshotRecords): GuestLink {
  const link = createGuestLink({
    limits,
    host,
    write: worker.write,
    unread: worker.unread,
    interrupt: worker.interrupt,
    kill: worker.kill,
    onWaiting: createBusyPolling(),
    onRuntimeFrame: worker.runtimeFrame,
  });
  let commands = 0;
  worker.attach(link.receive);
  void worker.ended.then((reason) => link.ended(guestEnded({ reason, killed: worker.killed })));
  return {
    receive: link.receive,
    pushOutput: link.pushOutput,
    ended: link.ended,
    command(command) {
      commands += 1; // as the link counts them, and as the worker names them
      if (RUNS_CODE.has(command.op)) records.await(commands);
      else records.accept();
      return worker.busy(() => link.command(command));
    },
    get failure() {
      return link.failure;
    },
  };
}

/** Two REPLs that continue from one snapshot, or one REPL twice, must not draw the same random numbers. */
async function reseeded(link: GuestLink): Promise<GuestLink> {
  await link.command({ op: 'reseed' });
  return link;
}

interface BashRun {
  readonly outcome: BashOutcome;
  /** Why the worker was lost over it. */
  readonly lost: string | undefined;
}

async function runBash(worker: WorkerHandle, request: BashRequest, limits: ReplLimits): Promise<BashRun> {
  const timeoutMs = request.timeoutMs ?? limits.cellTimeoutMs;
  const header: BashHeader = { timeoutMs, outputBytes: limits.outputBytes };
  const started = Date.now();
  let stopped: 'deadline' | 'cancelled' | undefined;
  let killer: NodeJS.Timeout | undefined;
  const stop = (why: 'deadline' | 'cancelled'): void => {
    stopped ??= why;
    worker.interrupt();
    killer ??= setTimeout(() => worker.kill('bash did not stop when it was interrupted'), BASH_GRACE_MS);
  };
  const timer = setTimeout(() => stop('deadline'), timeoutMs + BASH_GRACE_MS / 2);
  const cancel = (): void => stop('cancelled');
  request.signal?.addEventListener('abort', cancel, { once: true });
  const capture = captureOutput(limits.outputBytes);
  try {
    const frame = await worker.ask(RUNTIME.bash, header, [encodeExact(request.command)]);
    const result = frame.header as BashAnswer;
    let at = 0;
    for (const [index, [head, tail, dropped]] of result.streams.entries()) {
      const stream = index === 0 ? 'stdout' : 'stderr';
      capture.push(stream, frame.body.subarray(at, at + head));
      capture.push(stream, frame.body.subarray(at + head, at + head + tail), dropped);
      at += head + tail;
    }
    const { exitCode, timedOut } = result;
    const durationMs = Date.now() - started;
    return { outcome: { ok: exitCode === 0, exitCode, ...capture.finish(), durationMs, timedOut }, lost: undefined };
  } catch (_error) {
    const outcome = { ok: false, exitCode: 137, ...capture.finish(), durationMs: Date.now() - started };
    return { outcome: { ...outcome, timedOut: stopped === 'deadline' }, lost: await worker.ended };
  } finally {
    clearTimeout(timer);
    clearTimeout(killer);
    request.signal?.removeEventListener('abort', cancel);
  }
}

function quotaUsedUp(storeBytes: number): RlmError {
  return new RlmError({
    code: 'snapshot-limit',
    message: `The snapshot does not fit: all snapshots of a REPL may take ${storeBytes} bytes (snapshotBytes). Delete one first.`,
    budget: true,
  });
}
