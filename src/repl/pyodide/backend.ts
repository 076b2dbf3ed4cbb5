/**
 * The backend over a pool of workers; `index.ts` exports what is public of it.
 *
 * @module
 */

import { defined } from '../../defined.ts';
import { RlmError } from '../../errors.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import { createGuestRepl } from '../channel/index.ts';
import { createOpeningGate } from '../opening-gate.ts';
import type { IsolationLevel, OpenReplOptions, Repl, ReplBackend } from '../port.ts';
import { createDriver } from './driver.ts';
import { bindLargeTexts } from './large-texts.ts';
import { createPool, type LevelReport, type Pool, type TestSwitches } from './pool.ts';

/** Options of {@link pyodideBackend}. */
export interface PyodideBackendOptions {
  /** Folder of the base snapshot. Default: `fathom-rlm` in the user's cache folder, or `FATHOM_CACHE_DIR`. */
  readonly cacheDir?: string;
  /** Booted processes kept ready for the next REPL, about 120 MB each. Default 1. */
  readonly spares?: number;
  /** Bytes that the snapshots of one REPL may take on disk, whatever a run's limit `snapshotBytes` is. Default: that limit. */
  readonly snapshotBytes?: number;
  /** The strongest isolation to try for: `process` leaves namespaces out. Default `namespace`. */
  readonly most?: 'process' | 'namespace';
}

/** Switches for tests; no public function takes them. */
export interface InternalOptions extends PyodideBackendOptions {
  readonly node?: string;
  readonly switches?: TestSwitches;
}

/** The backend and what is known of its walls. */
export interface PyodideBackend extends ReplBackend {
  readonly name: 'pyodide';
  /** Boots the first process and tries the walls. `open` does so by itself. */
  prove(): Promise<LevelReport>;
}

/** Where neither limit ends: JSON, in which the worker gets it, has no infinity. */
const MOST_SNAPSHOT_BYTES = Number.MAX_SAFE_INTEGER;
const RANKS: Readonly<Record<IsolationLevel, number>> = { none: 0, process: 1, namespace: 2, vm: 3 };

/** Makes a backend; the public way is {@link pyodideBackend} in index.ts. */
export function createBackend(options: InternalOptions): PyodideBackend {
  const pool = createPool({
    node: options.node ?? process.execPath,
    ...defined({ cacheDir: options.cacheDir }),
    spares: options.spares ?? 1,
    most: options.most ?? 'namespace',
    switches: options.switches ?? {},
  });
  const repls = new Set<Repl>();
  const gate = createOpeningGate();
  return {
    name: 'pyodide',
    prove: () => pool.level(),
    async open(request) {
      const report = await pool.level(request.onPreparing);
      if (RANKS[report.level] < RANKS[request.least]) throw tooWeak(report, request.least);
      const { snapshotBytes = DEFAULT_LIMITS.snapshotBytes } = request.limits;
      const storeBytes = Math.min(snapshotBytes, options.snapshotBytes ?? MOST_SNAPSHOT_BYTES);
      return await gate(() => openRepl({ pool, request, repls, storeBytes }), request.signal);
    },
    async close() {
      await Promise.all([...repls].map((repl) => repl.close()));
      await pool.close();
    },
  };
}

async function openRepl(parts: {
  readonly pool: Pool;
  readonly request: OpenReplOptions;
  readonly repls: Set<Repl>;
  readonly storeBytes: number;
}): Promise<Repl> {
  const { pool, request, repls, storeBytes } = parts;
  const driver = await createDriver({
    limits: request.limits,
    host: request.host,
    storeBytes,
    worker: await pool.take(request.mayKeepSpare),
    takeWorker: () => pool.take(request.mayKeepSpare),
    onClose: () => repls.delete(repl),
  });
  const repl = bindLargeTexts(await createGuestRepl({ limits: request.limits, driver }));
  repls.add(repl);
  return repl;
}

function tooWeak(report: LevelReport, least: IsolationLevel): RlmError {
  const why = report.refused === undefined ? '' : ` (${report.refused})`;
  const other =
    least === 'vm' ? 'No REPL of this version has it:' : 'Install bubblewrap on a Linux with user namespaces, or';
  return new RlmError({
    code: 'isolation-unavailable',
    message: `Pyodide REPLs reach the isolation level ${report.level} here, and ${least} is asked for${why}. ${other} accept less by isolation: '${report.level}'.`,
    userAction: true,
    data: { level: report.level, least },
  });
}
