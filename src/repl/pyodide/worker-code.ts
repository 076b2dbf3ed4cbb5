/**
 * The worker's code as files it can run. In the package that is one built module; in a checkout the sources are
 * stripped of their types once and kept, so that a worker starts as fast as from the package.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { type Installation, sourcesIn } from './installation.ts';

/** Code ready to run. */
export interface WorkerCode {
  readonly folder: string;
  readonly main: string;
  /** Runs without Pyodide and tries the walls, see worker/prove.ts. */
  readonly prove: string;
}

/** The worker's code, made if need be. */
export function workerCode({ worker, digest }: Installation, cache: string): WorkerCode {
  if (!worker.entry.endsWith('.ts')) return codeIn(worker.folder);
  const folder = join(cache, `worker-${digest}`);
  const stripped = new Map(
    sourcesIn(worker.folder).map((name) => [name.replace(/\.ts$/, '.mjs'), () => strip(join(worker.folder, name))]),
  );
  if (![...stripped.keys()].every((name) => existsSync(join(folder, name)))) {
    const fresh = `${folder}.${randomBytes(6).toString('hex')}`;
    mkdirSync(fresh, { mode: 0o700 });
    for (const [name, text] of stripped) writeFileSync(join(fresh, name), text(), { mode: 0o600 });
    replaceFolder(fresh, folder);
  }
  return codeIn(folder);
}

function codeIn(folder: string): WorkerCode {
  return { folder, main: join(folder, 'main.mjs'), prove: join(folder, 'prove.mjs') };
}

function strip(path: string): string {
  const text = nodeModule.stripTypeScriptTypes(readFileSync(path, 'utf8'));
  return text.replace(/(from '\.\/[a-z-]+)\.ts'/g, "$1.mjs'");
}

/** Puts a finished folder in its place; another process may have been faster. */
export function replaceFolder(fresh: string, folder: string): void {
  try {
    renameSync(fresh, folder);
  } catch {
    rmSync(fresh, { recursive: true, force: true });
  }
}
