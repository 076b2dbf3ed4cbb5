/**
 * Workers ready to be REPLs: the level is proved once, the base snapshot opened once, and one spare kept warm.
 *
 * @module
 */

import { defined } from '../../defined.ts';
import { messageOf, RlmError } from '../../errors.ts';
import { cacheFolder } from '../cache-folder.ts';
import { findBubblewrap, type NamespaceForm, namespaceForms } from '../namespace.ts';
import { type BaseSnapshot, openBaseSnapshot } from './base-snapshot.ts';
import { findInstallation, type Installation } from './installation.ts';
import { type Bait, holds, layBait, type Proof, tryFromPython, tryNamespaces } from './self-test.ts';
import type { Level, SpawnRequest } from './spawn.ts';
import { FD, type OpenWall } from './worker/protocol.ts';
import { type WorkerCode, workerCode } from './worker-code.ts';
import { type ReadyReport, startWorker, type WorkerHandle } from './worker-handle.ts';

/** How workers are made. */
export interface PoolOptions {
  readonly node: string;
  readonly cacheDir?: string;
  /** Booted workers kept ready. */
  readonly spares: number;
  /** Do not try for more than this. */
  readonly most: Level;
  readonly switches: TestSwitches;
}

/** Options that only tests set. */
export interface TestSwitches extends Pick<SpawnRequest, 'withoutPermission' | 'stdin' | 'env' | 'onPrint'> {
  /** Walls left open. */
  readonly open?: readonly OpenWall[];
  readonly hostFolder?: string;
  readonly onReady?: (report: ReadyReport) => void;
}

/** The isolation level, and the proofs of it. */
export interface LevelReport {
  readonly level: Level;
  readonly proofs: readonly Proof[];
  /** Why `namespace` was not reached, when it was not. */
  readonly refused: string | undefined;
  readonly bubblewrap: string | undefined;
}

/** Booted workers. */
export interface Pool {
  /**
   * The level of all workers, proved.
   *
   * @param onPreparing called when it waits for the base snapshot to be made
   * @throws RlmError `isolation-unavailable` when even `process` does not hold
   */
  level(onPreparing?: () => void): Promise<LevelReport>;
  /** A booted worker; from the spares when there is one. `keepSpare` says whether another one is to be kept afterwards. */
  take(keepSpare?: boolean): Promise<WorkerHandle>;
  close(): Promise<void>;
}

interface Started {
  readonly report: LevelReport;
  readonly base: BaseSnapshot;
  readonly spawn: () => WorkerHandle;
}

/** Makes a pool; nothing starts before it is asked for. */
export function createPool(options: PoolOptions): Pool {
  const spares: WorkerHandle[] = [];
  const living = new Set<WorkerHandle>();
  const preparing = new Notice();
  let starting: Promise<Started> | undefined;
  let closed = false;

  const begin = (): Promise<Started> => {
    if (closed) throw new RlmError({ code: 'repl-failure', message: 'The pyodide backend is closed.' });
    starting ??= start({ options, watch, onMake: () => preparing.give() }).then(({ first, ...started }) => {
      spares.push(first);
      return started;
    });
    // A start that failed is tried again by the next REPL: a cache folder may have been full.
    starting.then(
      () => preparing.end(),
      () => {
        starting = undefined;
        preparing.end();
      },
    );
    return starting;
  };
  function watch(worker: WorkerHandle): WorkerHandle {
    living.add(worker);
    void worker.ended.then(() => {
      living.delete(worker);
      const index = spares.indexOf(worker);
      if (index >= 0) spares.splice(index, 1);
    });
    return worker;
  }
  const refill = (spawn: () => WorkerHandle): void => {
    if (closed) return;
    while (spares.length < options.spares) spares.push(spawn());
  };
  return {
    async level(onPreparing) {
      const begun = begin();
      if (onPreparing !== undefined) preparing.add(onPreparing);
      return (await begun).report;
    },
    async take(keepSpare = true) {
      const { spawn } = await begin();
      const spare = spares.shift();
      // The kernel may have killed an idle spare for want of memory: that does not fail a run.
      const worker = spare === undefined ? await booted(spawn()) : await booted(spare).catch(() => booted(spawn()));
      // Later, so that it does not delay the caller: a boot takes a processor for a third of a second.
      if (keepSpare) setTimeout(() => refill(spawn), REFILL_DELAY_MS).unref();
      return worker;
    },
    async close() {
      closed = true;
      const started = await starting?.catch(() => undefined);
      const ended = [...living].map(async (worker) => {
        worker.kill('the backend was closed');
        await worker.busy(() => worker.ended);
        worker.release();
      });
      await Promise.all(ended);
      started?.base.file.close();
    },
  };
}

/** Something that all who wait for a start are notified of, also those who come after it has begun. */
class Notice {
  #given = false;
  #ended = false;
  readonly #listeners = new Set<() => void>();

  add(listener: () => void): void {
    if (this.#ended) return;
    this.#listeners.add(listener);
    if (this.#given) listener();
  }

  give(): void {
    this.#given = true;
    for (const listener of this.#listeners) listener();
  }

  end(): void {
    this.#ended = true;
    this.#listeners.clear();
  }
}

const REFILL_DELAY_MS = 20;

async function booted(worker: WorkerHandle): Promise<WorkerHandle> {
  await worker.busy(() => worker.ready);
  return worker;
}

/** Everything the first REPL waits for. Independent steps run side by side. */
async function start({
  options,
  watch,
  onMake,
}: {
  readonly options: PoolOptions;
  readonly watch: (worker: WorkerHandle) => WorkerHandle;
  readonly onMake: () => void;
}): Promise<Started & { readonly first: WorkerHandle }> {
  const installation = findInstallation();
  const cache = cacheFolder(options.cacheDir);
  const code = workerCode(installation, cache);
  const bait = await layBait();
  try {
    const [spaces, base] = await Promise.all([
      findLevel({ options, installation, code, bait }),
      openBaseSnapshot({ installation, code, node: options.node, cache, onMake }),
    ]);
    const spawn = (): WorkerHandle => watch(spawnBooting({ options, installation, code, base, spaces }));
    const first = spawn();
    const report = await first.busy(() => first.ready);
    options.switches.onReady?.(report);
    const proofs = spaces.proof === undefined ? [] : [spaces.proof];
    if (options.switches.open === undefined) {
      const proof = await tryFromPython(first, bait);
      if (!holds(proof)) throw unproved(proof);
      proofs.unshift(proof);
    }
    const { level, refused, bubblewrap } = spaces;
    return { report: { level, refused, bubblewrap, proofs }, base, spawn, first };
  } finally {
    bait.remove();
  }
}

interface Spaces {
  readonly level: Level;
  readonly refused: string | undefined;
  readonly bubblewrap: string | undefined;
  readonly form: NamespaceForm | undefined;
  readonly proof: Proof | undefined;
}

/** Namespaces, when a program starts in them and reaches nothing from there. */
async function findLevel(request: {
  readonly options: PoolOptions;
  readonly installation: Installation;
  readonly code: WorkerCode;
  readonly bait: Bait;
}): Promise<Spaces> {
  const { options, installation, code, bait } = request;
  const bubblewrap = findBubblewrap();
  const without = { level: 'process', bubblewrap, form: undefined, proof: undefined } as const;
  if (options.most === 'process') return { ...without, refused: 'not asked for' };
  if (bubblewrap === undefined) return { ...without, refused: 'bubblewrap (bwrap) is not installed' };
  let refused = '';
  for (const form of namespaceForms(bubblewrap)) {
    try {
      const readable = [...installation.readable, code.folder];
      const proof = await tryNamespaces({ node: options.node, code, readable, form, bait });
      if (holds(proof)) return { level: 'namespace', refused: undefined, bubblewrap, form, proof };
      refused = `reached from inside: ${reachedBy(proof)}`;
    } catch (error) {
      refused = messageOf(error);
    }
  }
  return { ...without, refused };
}

function spawnBooting(request: {
  readonly options: PoolOptions;
  readonly installation: Installation;
  readonly code: WorkerCode;
  readonly base: BaseSnapshot;
  readonly spaces: Pick<Spaces, 'level' | 'form'>;
}): WorkerHandle {
  const { options, installation, code, base, spaces } = request;
  const worker = startWorker({
    node: options.node,
    script: code.main,
    readable: [...installation.readable, code.folder],
    ...options.switches,
    level: spaces.level,
    ...defined({ form: spaces.form }),
    descriptors: { [FD.base]: base.file.fd },
  });
  const { pyodideUrl: pyodideDir, bashUrl } = installation;
  const { open = [], hostFolder } = options.switches;
  const test = hostFolder === undefined ? { open } : { open, hostFolder };
  worker.boot({ mode: 'serve', pyodideDir, bashUrl, baseBytes: base.bytes, files: [], ...test });
  return worker;
}

function reachedBy(proof: Proof): string {
  return Object.entries(proof.reached)
    .flatMap(([name, reached]) => (reached ? [name] : []))
    .join(', ');
}

function unproved(proof: Proof): RlmError {
  return new RlmError({
    code: 'isolation-unavailable',
    message: `The pyodide REPL's self-test failed: Python code reached ${reachedBy(proof) || 'an unknown state'}. Please report this.`,
    data: { reached: proof.reached },
  });
}
