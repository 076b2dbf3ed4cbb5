import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process that has a lock of a store. */
export interface LockOwner {
  /** In its own pid namespace. */
  readonly pid: number;
  readonly host: string;
  /** When it took the lock. ISO 8601, UTC. */
  readonly since: string;
  /** This process has seen that the process of this id is the one that has the lock: a signal reaches no other. */
  readonly confirmed: boolean;
}

/** The owner that a lock names. */
interface Written {
  readonly words: string;
  readonly pid: number;
  readonly host: string;
  readonly since: string;
  /** When the process started. Milliseconds since 1970. */
  readonly started: number;
}

/** Milliseconds by which two ways to learn the start of a process may differ: `ps` says whole seconds. */
const START_TOLERANCE_MS = 2_000;

/** The owner written into locks of this process. */
export function thisProcess(): Omit<Written, 'words'> {
  const started = Math.round(performance.timeOrigin);
  return { pid: process.pid, host: hostname(), since: new Date().toISOString(), started };
}

/** This process in words, for the holder of a lock. */
export function processInWords(): string {
  return `process ${process.pid} on ${hostname()}`;
}

/** Who has a lock, as it wrote it there; `path` is the file that it holds locked. */
export function lockOwner(text: string, path: string): { readonly heldBy: string; readonly process: LockOwner } {
  const { words, pid, host, since, started } = JSON.parse(text) as Written;
  const confirmed = host === hostname() && Number.isSafeInteger(pid) && pid > 0 && isOwner({ pid, started }, path);
  return { heldBy: words, process: { pid, host, since, confirmed } };
}

function isOwner({ pid, started }: Pick<Written, 'pid' | 'started'>, path: string): boolean {
  if (process.platform === 'linux') return hasOpen(pid, path);
  if (pid === process.pid) return true;
  if (process.platform === 'win32') return false;
  const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C' } });
  return Math.abs(Date.parse(stdout) - started) <= START_TOLERANCE_MS;
}

/** Whether a process has a file open. False where this user may not look. */
function hasOpen(pid: number, path: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    const wanted = statSync(path);
    return readdirSync(folder).some((name) => {
      const facts = statSync(`${folder}/${name}`, { throwIfNoEntry: false });
      return facts?.ino === wanted.ino && facts.dev === wanted.dev;
    });
  } catch {
    return false;
  }
}
