/**
 * The walls around a converter: Node's permission model and limits of the system always; where bubblewrap works, namespaces and a system
 * call filter as well, so that there are no network, no other files and no other processes.
 *
 * @module
 */

import type { ChildProcess, StdioOptions } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Writable } from 'node:stream';
import {
  findBubblewrap,
  type NamespaceForm,
  type NamespaceRequest,
  namespaceForms,
  SECCOMP_FD,
  wrapInNamespaces,
} from '../repl/namespace.ts';
import type { ConverterCode } from './converter-code.ts';
import { CONVERTER_HEAP_MIB, CONVERTER_MEMORY_MIB } from './limits.ts';

/** A converter to start. */
export interface ConverterStart {
  readonly code: ConverterCode;
  readonly args: readonly string[];
  /** The file, open for reading: descriptor {@link INPUT_FD} of the process. */
  readonly fd: number;
  /** The file is opened by its path as well, `INPUT_PATH`, which only `node:sqlite` needs. */
  readonly byPath?: boolean;
  /** Test switch. Default: namespaces where they work. */
  readonly namespaces?: boolean;
}

const INPUT_FD = 3;
/** The file's path in the namespaces. */
const INPUT_PATH = '/input';
/** Its path without them. */
const DESCRIPTOR_PATH = `/dev/fd/${INPUT_FD}`;

/** No other file, no program, no worker, no addon, no text as code. */
const PERMISSION = ['--permission', '--no-addons', '--disallow-code-generation-from-strings'];
/** It opens files past the permission model. */
const NO_SQLITE = '--no-experimental-sqlite';

/** Starts a converter. Its standard output is the conversion; its environment is empty: ours may hold keys. */
export function startConverter(start: ConverterStart): ChildProcess {
  const { code, fd, byPath = false } = start;
  const form = start.namespaces === false ? undefined : workingForm();
  const inputPath = form === undefined ? DESCRIPTOR_PATH : INPUT_PATH;
  const node = [
    ...PERMISSION,
    ...(byPath ? [`--allow-fs-read=${inputPath}`] : [NO_SQLITE]),
    ...code.readable.map((path) => `--allow-fs-read=${path}`),
    '--no-warnings',
    `--max-old-space-size=${CONVERTER_HEAP_MIB}`,
    code.script,
    ...start.args,
    ...(byPath ? [inputPath] : []),
  ];
  return startInWalls({
    form,
    node,
    readable: code.readable,
    ...(byPath && { binds: [{ from: `/proc/self/fd/${INPUT_FD}`, to: INPUT_PATH }] }),
    stdin: 'ignore',
    files: new Map([[INPUT_FD, fd]]),
  });
}

/** A program of Node to start in the walls. */
export interface WalledStart {
  /** Undefined: without namespaces. */
  readonly form: WorkingForm | undefined;
  /** Options of Node, then the script and its arguments. */
  readonly node: readonly string[];
  readonly readable: readonly string[];
  readonly binds?: NamespaceRequest['binds'];
  readonly stdin: 'ignore' | 'pipe';
  /** Open files by the descriptors that the process has them at; not {@link SECCOMP_FD}. */
  readonly files: ReadonlyMap<number, number>;
}

/** Starts Node with an empty environment, in namespaces where `form` is given, with bounded memory. */
export function startInWalls({ form, node, readable, binds = [], stdin, files }: WalledStart): ChildProcess {
  const wrap = form === undefined ? undefined : wrapInNamespaces({ ...form, node: process.execPath, readable, binds });
  const own = [process.execPath, ...node];
  const program = wrap === undefined ? [...dieWithParent(), ...own] : [wrap.command, ...wrap.args, ...own];
  const [command = '', ...args] = process.platform === 'win32' ? own : ['/bin/sh', '-c', LIMITS, 'sh', ...program];
  const last = Math.max(wrap?.seccomp === undefined ? 0 : SECCOMP_FD, ...files.keys());
  const stdio: StdioOptions = Array.from({ length: last + 1 }, (_, at) => {
    if (at === 0) return stdin;
    if (at === 1 || at === 2 || (at === SECCOMP_FD && wrap?.seccomp !== undefined)) return 'pipe';
    return files.get(at) ?? 'ignore';
  });
  const child = spawn(command, args, { env: {}, cwd: '/', stdio, windowsHide: true });
  if (wrap?.seccomp !== undefined) sendFilter(child, wrap.seccomp);
  return child;
}

function sendFilter(child: ChildProcess, filter: Buffer): void {
  const pipe = child.stdio[SECCOMP_FD as 4] as Writable | null | undefined;
  // A process that ended at once has closed it: its end is reported by itself.
  pipe?.on('error', () => undefined);
  pipe?.end(filter);
}

/** No core files, and a bound on private memory. */
const LIMITS = `
ulimit -c 0 2>/dev/null
ulimit -d ${CONVERTER_MEMORY_MIB * 1_024} 2>/dev/null
exec "$@"
`;

function dieWithParent(): readonly string[] {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find(existsSync);
  return setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--'];
}

export type WorkingForm = NamespaceForm & { readonly bwrap: string };

let working: { readonly form: WorkingForm | undefined } | undefined;

/** The first form of namespaces in which Node starts here; undefined where none does. Tried once. */
export function workingForm(): WorkingForm | undefined {
  working ??= { form: findWorkingForm() };
  return working.form;
}

function findWorkingForm(): WorkingForm | undefined {
  const bwrap = findBubblewrap();
  if (bwrap === undefined) return undefined;
  const forms = namespaceForms(bwrap).map((form) => ({ ...form, bwrap }));
  return forms.find((form) => {
    const { command, args, seccomp } = wrapInNamespaces({ ...form, node: process.execPath, readable: [] });
    const stdio: ('ignore' | 'pipe')[] = Array.from({ length: SECCOMP_FD }, () => 'ignore');
    // The filter is larger than nothing and smaller than a pipe: it is there before the process looks.
    if (seccomp !== undefined) return startsWithFilter({ command, args, seccomp, stdio });
    return spawnSync(command, [...args, process.execPath, '-e', '0'], { env: {}, stdio }).status === 0;
  });
}

interface Trial {
  readonly command: string;
  readonly args: readonly string[];
  readonly seccomp: Buffer;
  readonly stdio: ('ignore' | 'pipe')[];
}

/** `spawnSync` writes to standard input alone: a shell passes it on as the descriptor of the filter. */
function startsWithFilter({ command, args, seccomp, stdio }: Trial): boolean {
  const shell = `exec ${SECCOMP_FD}<&0 </dev/null; exec "$@"`;
  const program = ['-c', shell, 'sh', command, ...args, process.execPath, '-e', '0'];
  return spawnSync('/bin/sh', program, { env: {}, input: seccomp, stdio: ['pipe', ...stdio.slice(1)] }).status === 0;
}
