import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Kills a worker for good. bubblewrap is two processes while it sets up: killed in that moment, the inner one would wait
 * for the outer for ever and keep our pipes open. So the outer is halted, the inner is killed, then the outer.
 */
export function killTree(worker: ChildProcess): void {
  const { pid } = worker;
  if (pid === undefined || worker.exitCode !== null || worker.signalCode !== null) return;
  if (process.platform === 'linux') {
    worker.kill('SIGSTOP');
    for (const inner of childrenOf(pid)) kill(inner);
  }
  worker.kill('SIGKILL');
}

/**
 * Kills the processes that a worker left behind in its process group when it ended. The kernel's memory killer, for
 * example, may have killed the outer bubblewrap in that moment.
 */
export function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined && process.platform !== 'win32') kill(-pid);
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // It is gone, or the kernel does not say: the outer one's end has to do.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
