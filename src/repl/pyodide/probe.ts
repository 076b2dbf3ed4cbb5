import { messageOf } from '../../errors.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import { type CacheFolder, findCacheFolder } from '../cache-folder.ts';
import type { ReplHost } from '../port.ts';
import { createBackend, type PyodideBackendOptions } from './backend.ts';

import { findInstallation } from './installation.ts';
import type { LevelReport } from './pool.ts';

/** The facts about the pyodide backend that `fathom doctor` shows. */
export type PyodideProbe =
  | { readonly available: false; readonly reason: string }
  | {
      readonly available: true;
      readonly pythonVersion: string;
      readonly pyodideVersion: string;
      readonly isolation: LevelReport;
      /** Folder of the base snapshot, with the reason when the usual one is not used. */
      readonly cache: CacheFolder;
      readonly timings: PyodideTimings;
    };

/** Milliseconds. */
export interface PyodideTimings {
  /** From nothing to a proved process, with the base snapshot made when it was not in the cache. */
  readonly startMs: number;
  /** The proofs alone. */
  readonly proofMs: number;
  /** A REPL from a warm spare. */
  readonly openMs: number;
}

/** Tries the backend out: never throws, says why not instead. */
export async function probePyodide(options: PyodideBackendOptions = {}): Promise<PyodideProbe> {
  const backend = createBackend(options);
  try {
    const startedAt = performance.now();
    const isolation = await backend.prove();
    const readyAt = performance.now();
    const limits = { ...DEFAULT_LIMITS, callWindow: 1 };
    const repl = await backend.open({ limits, host: silentHost, least: 'process' });
    const openMs = performance.now() - readyAt;
    const proofMs = isolation.proofs.reduce((sum, proof) => sum + proof.ms, 0);
    return {
      available: true,
      pythonVersion: repl.info.pythonVersion,
      pyodideVersion: findInstallation().pyodideVersion,
      isolation,
      cache: findCacheFolder(options.cacheDir),
      timings: { startMs: readyAt - startedAt, proofMs, openMs },
    };
  } catch (error) {
    return { available: false, reason: messageOf(error) };
  } finally {
    await backend.close();
  }
}

const refuse = (): never => {
  throw new Error('a probe serves no requests');
};
const silentHost: ReplHost = {
  subCall: refuse,
  callTool: refuse,
  checkAnswer: refuse,
  readHistory: refuse,
  readProjection: refuse,
};
