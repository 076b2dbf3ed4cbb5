/**
 * Starts a worker process behind the second wall (Node's permission model, an empty environment, no workers, no addons)
 * and, where it is to be had, the third (namespaces).
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Duplex, Readable, Writable } from 'node:stream';
import { findBubblewrap, type NamespaceForm, SECCOMP_FD, wrapInNamespaces } from '../namespace.ts';
import { FD } from './worker/protocol.ts';

/** Levels this backend can reach. */
export type Level = 'process' | 'namespace';

/** A worker to start. */
export interface SpawnRequest {
  /** The Node that runs the worker. */
  readonly node: string;
  readonly script: string;
  /** Files and folders it may read. */
  readonly readable: readonly string[];
  readonly level: Level;
  /** Descriptors by their number in the worker, besides frames and data. */
  readonly descriptors: Readonly<Record<number, number>>;
  /** With `namespace`: how. Default: single files, user namespaces as the machine has them. */
  readonly form?: NamespaceForm;
  /** Test switch and self-test: without the permission model and V8's flags, to try the namespaces alone. */
  readonly withoutPermission?: boolean;
  /** Test switches: an input, an environment, and a look at what the worker prints. */
  readonly stdin?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly onPrint?: (chunk: Buffer) => void;
}

/** A started worker. */
export interface SpawnedWorker {
  readonly process: ChildProcess;
  readonly frames: Duplex;
  readonly data: Writable;
  /** The last few kilobytes of its error stream; for diagnostics, never shown to a model. */
  readonly stderrTail: () => string;
}

const STDERR_TAIL = 4096;
/**
 * No files but those named, no programs, no workers (a worker would start without the permissions), no addons, no text
 * as code; `node:sqlite` opens files past the permission model, so it goes as well.
 */
const PERMISSION = [
  ...['--permission', '--no-addons', '--disallow-code-generation-from-strings', '--no-experimental-sqlite'],
];
/** Functions of the interpreter are validated when they are first called, not all ten megabytes of them at each start. */
const QUICK_START = ['--wasm-lazy-validation'];
/** Kilobytes of stack: Python code nests deeply in C, and a JavaScript stack that ends is the end of the worker. */
const STACK_KB = 63_000;
/** Megabytes of JavaScript heap; memory of Python and contents of files are not in it. */
const JS_HEAP_MB = 512;
/** Kilobytes a worker's private memory may take in all: a last line behind the caps on memory and files. */
const DATA_KB = 12 * 1024 * 1024;

/** Starts it. */
export function spawnWorker(request: SpawnRequest): SpawnedWorker {
  const [command, args, seccomp] = commandLine(request);
  const highest = Math.max(
    FD.data,
    ...Object.keys(request.descriptors).map(Number),
    seccomp === undefined ? 0 : SECCOMP_FD,
  );
  const stdio: ('ignore' | 'pipe' | number)[] = [request.stdin ?? 'ignore', 'pipe', 'pipe'];
  for (let fd = 3; fd <= highest; fd += 1) stdio[fd] = request.descriptors[fd] ?? 'ignore';
  stdio[FD.frames] = 'pipe';
  stdio[FD.data] = 'pipe';
  if (seccomp !== undefined) stdio[SECCOMP_FD] = 'pipe';
  // A group of its own: Ctrl-C in a terminal goes to the whole foreground group, and it is Fathom's to decide what it means.
  const detached = process.platform !== 'win32';
  const worker = spawn(command, args, { env: { ...request.env }, cwd: '/', stdio, windowsHide: true, detached });
  if (seccomp !== undefined) {
    const pipe = worker.stdio.at(SECCOMP_FD) as Writable;
    pipe.on('error', () => {});
    pipe.end(seccomp);
  }
  const frames = worker.stdio.at(FD.frames) as Duplex;
  const data = worker.stdio.at(FD.data) as Duplex;
  for (const stream of [frames, data]) stream.on('error', () => {});
  // Drained and dropped: nothing a worker prints may reach the host's own stdout, which belongs to the user's program.
  worker.stdout?.on('data', request.onPrint ?? (() => {}));
  if (request.onPrint !== undefined) worker.stderr?.on('data', request.onPrint);
  return { process: worker, frames, data, stderrTail: keepTail(worker.stderr) };
}

function commandLine(request: SpawnRequest): [string, string[], Buffer | undefined] {
  const { node, script, readable, level } = request;
  const flags = [
    ...(request.withoutPermission ? [] : [...PERMISSION, ...readable.map((path) => `--allow-fs-read=${path}`)]),
    '--no-warnings',
    ...QUICK_START,
    `--max-old-space-size=${JS_HEAP_MB}`,
  ];
  if (process.platform === 'win32') return [node, [...flags, script], undefined];
  const bwrap = level === 'namespace' ? findBubblewrap() : undefined;
  const wrap =
    bwrap === undefined
      ? undefined
      : wrapInNamespaces({ wholeLibraries: false, noUserNamespaces: false, ...request.form, bwrap, node, readable });
  // bwrap dies with its parent by itself. Without it the worker looks for its parent now and then, which it cannot
  // while it is inside of one long C function: setpriv has the kernel end it.
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find(existsSync);
  const watch = wrap !== undefined || setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--'];
  const program = [...(wrap === undefined ? watch : [wrap.command, ...wrap.args]), node];
  return ['/bin/sh', ['-c', LIMITS, 'sh', ...program, '--stack', ...flags, script], wrap?.seccomp];
}

/**
 * Sets limits and becomes the program: no core files, a bound on private memory, and a stack as large as allowed. V8
 * must know how large; `--stack` is replaced by a flag with what was reached, less a margin.
 */
const LIMITS = `
ulimit -c 0 2>/dev/null
ulimit -d ${DATA_KB} 2>/dev/null
ulimit -s 65536 2>/dev/null
size=$(ulimit -s)
case $size in unlimited) size=${STACK_KB};; *) size=$((size - 1024));; esac
[ "$size" -gt ${STACK_KB} ] && size=${STACK_KB}
for word; do
  shift
  [ "$word" = --stack ] && word=--stack-size=$size
  set -- "$@" "$word"
done
exec "$@"
`;

function keepTail(stream: Readable | null): () => string {
  let tail = Buffer.alloc(0);
  stream?.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-STDERR_TAIL);
  });
  return () => tail.toString('utf8');
}
