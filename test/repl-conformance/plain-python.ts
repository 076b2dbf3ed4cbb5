/**
 * The machine's Python run plainly, without any isolation: only for tests of the guest and of the conformance suite
 * itself. Never shipped.
 *
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { RlmError } from '../../src/errors.ts';
import { createGuestLink, createGuestRepl, type GuestLink, type ReplDriver } from '../../src/repl/channel/index.ts';
import type { OpenReplOptions, Repl, ReplBackend } from '../../src/repl/port.ts';

const GUEST = fileURLToPath(new URL('../../guest', import.meta.url));

const BOOT = `
import sys
sys.path.insert(0, ${JSON.stringify(GUEST)})
import fathom_guest

def load_file(value):
    if "text" in value:
        return value["text"]
    with open(value["path"], "rb") as file:
        return file.read()

guest = fathom_guest.create_guest(fathom_guest.FdTransport(3, pollable=THREADS), threads=THREADS, load_file=load_file)
guest.serve_forever()
`;

/** A Python that can run the guest (3.10 or later), or why there is none. */
export function findPython(candidates: readonly string[] = ['python3', '/usr/bin/python3']): {
  readonly path?: string;
  readonly reason: string;
} {
  for (const candidate of candidates) {
    try {
      const script = 'import sys; print(sys.executable); print(*sys.version_info[:2])';
      const [path, version] = execFileSync(candidate, ['-I', '-c', script], { encoding: 'utf8' }).trim().split('\n');
      const [major, minor] = (version ?? '').split(' ').map(Number);
      if (path !== undefined && major === 3 && (minor ?? 0) >= 10) return { path, reason: '' };
    } catch {
      // Not there, or broken: the next one.
    }
  }
  return { reason: 'no python3 >= 3.10 on this machine' };
}

/** How the plain backend runs. */
export interface PlainPythonOptions {
  readonly python: string;
  /** False runs the guest as on a machine without threads and without a pollable descriptor, as Pyodide does. */
  readonly threads?: boolean;
}

/** The plain backend. */
export function plainPython(options: PlainPythonOptions): ReplBackend {
  const repls = new Set<Repl>();
  return {
    name: 'plain-python',
    async open(open) {
      const repl = await openPlain(options, open);
      repls.add(repl);
      return repl;
    },
    async close() {
      await Promise.all([...repls].map((repl) => repl.close()));
    },
  };
}

async function openPlain(options: PlainPythonOptions, open: OpenReplOptions): Promise<Repl> {
  let current = startGuest(options, open);
  const noSnapshots = async (): Promise<never> => {
    throw new RlmError({ code: 'repl-failure', message: 'The plain backend has no snapshots.' });
  };
  const driver: ReplDriver = {
    backend: 'plain-python',
    isolation: 'none',
    shell: 'bash',
    link: current.link,
    describeFile: async (file) => ('text' in file ? { text: String(file.text) } : { path: file.path }),
    // Its cells work in the folder of the tests: nothing is put there.
    showFiles: async () => {},
    async recover() {
      current.kill();
      await current.exited;
      current = startGuest(options, open);
      return {
        link: current.link,
        fresh: true,
        current: false,
        lost: 'all variables are gone; values the host bound are back',
      };
    },
    capture: noSnapshots,
    restore: noSnapshots,
    discard: noSnapshots,
    async close() {
      current.kill();
      await current.exited;
    },
  };
  return createGuestRepl({ limits: open.limits, driver });
}

function startGuest(
  options: PlainPythonOptions,
  open: OpenReplOptions,
): { readonly link: GuestLink; readonly exited: Promise<void>; kill(): void } {
  const script = BOOT.replaceAll('THREADS', options.threads === false ? 'False' : 'True');
  const child: ChildProcess = spawn(options.python, ['-I', '-B', '-c', script], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
    env: {},
  });
  const stream = child.stdio[3] as Duplex;
  const killGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  };
  const link = createGuestLink({
    limits: open.limits,
    host: open.host,
    write: (bytes) => void stream.write(bytes),
    unread: () => stream.writableLength,
    interrupt: () => void child.kill('SIGINT'),
    kill: killGroup,
  });
  stream.on('data', (chunk: Buffer) => link.receive(chunk));
  stream.on('error', () => {});
  (child.stdout as Readable).on('data', (chunk: Buffer) => link.pushOutput('stdout', chunk));
  (child.stderr as Readable).on('data', (chunk: Buffer) => link.pushOutput('stderr', chunk));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  stream.once('close', () => {
    killGroup();
    void exited.then(() => link.ended(`it ended with ${child.signalCode ?? `code ${child.exitCode}`}`));
  });
  return { link, exited, kill: killGroup };
}
