import { readdirSync, readFileSync } from 'node:fs';

/** The process ids of everything this process has started, and what that has started. Linux only; empty elsewhere. */
export function descendants(of: number = process.pid): readonly number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readProc()) {
    const pid = Number(name);
    const parent = parentOf(pid);
    if (parent === undefined) continue;
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  const look = (pid: number): void => {
    for (const child of childrenOf.get(pid) ?? []) {
      found.push(child);
      look(child);
    }
  };
  look(of);
  return found;
}

/** Resident bytes of a process; 0 when it has ended. */
export function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** True while a process runs, as opposed to having ended without anybody having looked at it. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The command line of a process, to name one that should not be there. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return `${pid} (ended)`;
  }
}

function readProc(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function parentOf(pid: number): number | undefined {
  try {
    // After the command's name, which may hold anything, come the state and the parent.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
