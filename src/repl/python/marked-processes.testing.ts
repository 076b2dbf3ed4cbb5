/**
 * Processes of cells as the host sees them: found by the name that a cell has given itself, and its children have too.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds after a cell in which what it left behind is stopped for certain, on a busy machine too. */
const STILL_MS = 20_000;

let lastMark = 0;

/** A name for the processes of one cell. */
export function nextMark(): string {
  lastMark += 1;
  return `w${process.pid % 10_000}-${lastMark}`;
}

/**
 * Python: gives the process and its children a name; `hidden(work)` starts a process that runs `work` in a second thread,
 * and whose first thread has ended.
 */
export const prelude = (mark: string): string => `
import os, time, _thread, ctypes, select, signal
ctypes.CDLL(None).prctl(15, b"${mark}", 0, 0, 0)
def hidden(work, session=True):
    read, write = os.pipe()
    if os.fork() == 0:
        if session: os.setsid()
        os.closerange(1000, 1100)
        def body():
            kept = work()
            os.write(write, b"x")
            time.sleep(600)
            os._exit(0)
        _thread.start_new_thread(body, ())
        ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 0)
    os.close(write)
    select.select([read], [], [], 30)
    os.close(read)
`;

interface Seen {
  readonly pid: number;
  /** As /proc shows it: T is stopped. */
  readonly state: string;
  /** Processor time in ticks of 10 ms. */
  readonly ticks: number;
  /** Bytes of anonymous memory. */
  readonly memory: number;
}

/** The processes of that name which run. A zombie with further threads runs. */
export function marked(mark: string): readonly Seen[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      if (readFileSync(`/proc/${name}/comm`, 'utf8').trim() !== mark) return [];
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      const state = fields[0] ?? '';
      if (state === 'Z' && Number(fields[17]) <= 1) return [];
      const memory = Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1] ?? 0) * 1024;
      return [{ pid: Number(name), state, ticks: Number(fields[11]) + Number(fields[12]), memory }];
    } catch {
      return []; // it has just ended
    }
  });
}

/** Waits until it is so. */
export async function until(condition: () => boolean, ms: number = STILL_MS): Promise<void> {
  const deadline = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** All processes of that name are stopped; one whose first thread has ended shows only that. */
export function stopped(mark: string): boolean {
  return marked(mark).every(({ state }) => state === 'T' || state === 'Z');
}
