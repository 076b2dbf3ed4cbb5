import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import net from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { defined } from '../../defined.ts';
import { RlmError } from '../../errors.ts';
import { folderWith, incompletePackage } from '../../package-files.ts';
import { cacheFolder } from '../cache-folder.ts';
import type { Interpreter } from './interpreter.ts';
import { type Message, numberOf, readLines, textOf } from './lines.ts';
import { type Refusal, refusalWords } from './refusals.ts';
import { makeZygoteFolder } from './zygote-folder.ts';

/** Milliseconds until a zygote that has not boxed itself is given up. */
const START_PATIENCE_MS = 30_000;
/** Milliseconds until a launcher that does not end is killed. */
const CLOSE_PATIENCE_MS = 2_000;
/**
 * Large blocks of memory in huge pages, where the kernel leaves that to programs (transparent_hugepage/enabled is madvise):
 * a fork, and so a snapshot, then copies one entry for 2 MB instead of 512. And functions of libraries are looked up once,
 * at the start, and not by each forked process. The bootstrap takes both out of the environment.
 */
const OF_THE_ZYGOTE = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1', LD_BIND_NOW: '1' } as const;
/** Characters of its diagnostics that are kept for error messages. */
const LOG_CHARACTERS = 8_192;

/** How a zygote entered its box: with root's rights, by user namespaces, or by Landlock's rules alone. */
export type BoxMode = 'root' | 'user' | 'rules';

export interface ZygoteOptions {
  readonly interpreter: Interpreter;
  /** Ways to try, in this order. Default: all, strongest first. */
  readonly modes?: readonly BoxMode[];
  /** Further environment variables for cells. Nothing of the host's own environment goes in but the time zone. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running zygote: what REPLs are forked from. */
export interface ZygoteProcess {
  readonly mode: BoxMode;
  /** Stronger ways that the machine refused, and why. */
  readonly refused: readonly Refusal[];
  /** The protections that the reached way lacks. */
  readonly short: readonly string[];
  /** Version of Landlock's interface, 0 for none. */
  readonly landlock: number;
  /** Milliseconds from start to ready, and of these in the box's own making. */
  readonly readyMs: number;
  readonly boxMs: number;
  readonly folder: string;
  readonly pid: number;
  /** A new connection that says what it is for. */
  connect(purpose: Readonly<Record<string, unknown>>): net.Socket;
  /** An order to the launcher, followed by `data` where it says so. Answers arrive at `onMessage`. */
  order(order: Readonly<Record<string, unknown>>, data?: Buffer): void;
  /** Called with what the launcher says. */
  onMessage: (message: Message) => void;
  /** The standard error of its processes: errors of the runtime, never of cells. */
  log(): string;
  /** Settles when the zygote has ended, with the reason. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

/**
 * Starts a zygote and waits until it is in its box.
 *
 * @throws RlmError `isolation-unavailable` when the machine refuses every way, `repl-failure` when it does not start
 */
export async function startZygote(options: ZygoteOptions): Promise<ZygoteProcess> {
  const startedAt = performance.now();
  const folder = await makeZygoteFolder();
  const token = randomBytes(16).toString('hex');
  const child = spawn(options.interpreter.executable, ['-I', '-S', join(guestFolder(), 'fathom_native')], {
    cwd: '/',
    env: { ...OF_THE_ZYGOTE, ...environment(options) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const log = keepLog(child);
  const ended = endOf(child, log);
  child.stdin.on('error', () => {});
  let onMessage: (message: Message) => void = () => {};
  const first = firstMessage(child, (message) => onMessage(message));
  const order = (fields: Readonly<Record<string, unknown>>, data?: Buffer): void => {
    child.stdin.write(`${JSON.stringify(fields)}\n`);
    if (data !== undefined) child.stdin.write(data);
  };
  const { folders, packages } = options.interpreter;
  const modes = options.modes === undefined ? {} : { modes: options.modes };
  order({ folder, token, interpreter: folders, packages, cache: join(cacheFolder(), 'python'), ...modes });
  const ready = await awaitReady(first, ended, child, options.modes).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  releaseEventLoop(child);
  let sockets: net.Socket[] = [];
  return {
    mode: textOf(ready, 'mode') as BoxMode,
    refused: listOf(ready, 'refused') as Refusal[],
    short: listOf(ready, 'short') as string[],
    landlock: numberOf(ready, 'landlock'),
    readyMs: performance.now() - startedAt,
    boxMs: numberOf(ready, 'boxMs'),
    folder,
    pid: child.pid ?? 0,
    connect(purpose) {
      const socket = net.connect({ path: join(folder, 'socket') });
      socket.unref();
      const text = Buffer.from(JSON.stringify({ ...purpose, token }));
      const length = Buffer.alloc(2);
      length.writeUInt16LE(text.length);
      socket.write(Buffer.concat([length, text]));
      sockets = sockets.filter((each) => !each.destroyed);
      sockets.push(socket);
      return socket;
    },
    order,
    get onMessage() {
      return onMessage;
    },
    set onMessage(listener) {
      onMessage = listener;
    },
    log,
    ended,
    async close() {
      for (const socket of sockets) socket.destroy();
      await endLauncher(child, ended);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The folder of the Python packages that are part of Fathom.
 *
 * @throws RlmError `repl-failure` when the package is incomplete
 */
function guestFolder(): string {
  const folder = folderWith('guest/fathom_native/__main__.py');
  if (folder === undefined) throw incompletePackage('guest/fathom_native');
  return join(folder, 'guest');
}

/** The launcher ends with its input, removes its folder and takes everything with it. */
async function endLauncher(child: Child, ended: Promise<string>): Promise<void> {
  child.stdin.end();
  child.ref();
  const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_PATIENCE_MS);
  await ended;
  clearTimeout(timer);
}

/** All that cells see of an environment. No key, no token, nothing that was not named here. */
function environment(options: ZygoteOptions): Record<string, string> {
  const own = dirname(options.interpreter.executable);
  const path = [...new Set([own, '/usr/local/bin', '/usr/bin', '/bin'])].join(':');
  const zone = process.env.TZ;
  return {
    PATH: path,
    HOME: '/home/repl',
    TMPDIR: '/tmp',
    USER: 'repl',
    LOGNAME: 'repl',
    SHELL: '/bin/bash',
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    MPLBACKEND: 'Agg',
    ...(zone === undefined || zone.startsWith('/') || zone.startsWith(':') ? {} : { TZ: zone }),
    ...options.env,
  };
}

/** The first thing the launcher says; later messages go to `onLater`. */
function firstMessage(child: Child, onLater: (message: Message) => void): Promise<Message> {
  return new Promise((resolve) => {
    let waiting = true;
    const read = readLines((message) => {
      if (!waiting) return onLater(message);
      waiting = false;
      resolve(message);
    });
    child.stdout.on('data', read);
  });
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function keepLog(child: Child): () => string {
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString('utf8')).slice(-LOG_CHARACTERS);
  });
  return () => log.trim();
}

function endOf(child: Child, log: () => string): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => {
      const how = signal === null ? `exit code ${code}` : signal;
      resolve(log() === '' ? how : `${how}; ${log()}`);
    });
  });
}

async function awaitReady(
  first: Promise<Message>,
  ended: Promise<string>,
  child: Child,
  modes: readonly BoxMode[] | undefined,
): Promise<Message> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('it took too long'), START_PATIENCE_MS);
  });
  const outcome = await Promise.race([first, ended, late]);
  clearTimeout(timer);
  if (typeof outcome === 'string') {
    child.kill('SIGKILL');
    throw new RlmError({ code: 'repl-failure', message: `The Python zygote did not start: ${outcome}.` });
  }
  if (outcome.ready === true) return outcome;
  const refused = listOf(outcome, 'refused') as Refusal[];
  throw new RlmError({
    code: 'isolation-unavailable',
    message: `This machine allows no isolation for Python REPLs: it refuses ${refusalWords(refused)}. Use repl: 'pyodide'.`,
    userAction: true,
    data: { refused, ...defined({ modes }) },
  });
}

/** An idle zygote keeps no host alive: when the host ends, the zygote ends with it. */
function releaseEventLoop(child: Child): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as net.Socket).unref();
}

function listOf(message: Message, name: string): readonly unknown[] {
  const value = message[name];
  return Array.isArray(value) ? value : [];
}
