/**
 * The third wall: own user, mount, process, network, IPC and UTS namespaces by bubblewrap, a file system that holds
 * Node and the worker's own files and nothing else, and a system call filter.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { deniedCallsFilter } from './seccomp.ts';

/** How to start a program inside of namespaces. */
export interface NamespaceWrap {
  readonly command: string;
  readonly args: readonly string[];
  /** Filter for bwrap to read from descriptor {@link SECCOMP_FD}; undefined on processors without one. */
  readonly seccomp: Buffer | undefined;
}

/** The features of bubblewrap that are used. The first form that starts and passes its self-test is taken. */
export interface NamespaceForm {
  /** Library folders are bound as a whole: where binding single files does not suffice. */
  readonly wholeLibraries: boolean;
  /** No process inside can make further user namespaces, whatever its system call filter lets through. */
  readonly noUserNamespaces: boolean;
}

/** The forms to try here, strictest first. Without user namespaces on this machine, a process inside cannot make one either. */
export function namespaceForms(bwrap: string): readonly NamespaceForm[] {
  const forms = [false, true].map((wholeLibraries) => ({ wholeLibraries, noUserNamespaces: false }));
  if (!knowsOption(bwrap, '--disable-userns')) return forms;
  return [...forms.map((form) => ({ ...form, noUserNamespaces: true })), ...forms];
}

/** Bubblewrap has options by version and by how it was built: its help says which. */
function knowsOption(bwrap: string, option: string): boolean {
  try {
    return execFileSync(bwrap, ['--help'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).includes(option);
  } catch {
    return false; // a bwrap that has no help is tried without the option
  }
}

/** The descriptor bwrap reads its filter from; closed before the worker starts. */
export const SECCOMP_FD = 8;

/** Where bubblewrap is, if it is. */
export function findBubblewrap(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  return [...folders, '/usr/bin', '/usr/local/bin'].map((folder) => join(folder, 'bwrap')).find(existsSync);
}

/** The program that is started in namespaces. */
export interface NamespaceRequest extends NamespaceForm {
  readonly bwrap: string;
  readonly node: string;
  readonly readable: readonly string[];
  /** Files that have another path inside. */
  readonly binds?: readonly Bind[];
}

/**
 * Arguments for bubblewrap. Files that the worker may read are bound read-only, one by one for Node's libraries, so
 * that nothing else of the machine is visible.
 */
export function wrapInNamespaces(request: NamespaceRequest): NamespaceWrap {
  const { bwrap, node, readable, binds = [] } = request;
  const shared = request.wholeLibraries ? libraryFolders() : libraries(node);
  const seccomp = deniedCallsFilter(process.arch);
  return {
    command: bwrap,
    args: [
      ...['--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--clearenv'],
      ...(request.noUserNamespaces ? ['--unshare-user', '--disable-userns'] : []),
      ...['--hostname', 'fathom', '--tmpfs', '/'],
      ...[...shared, { from: node, to: node }, ...readable.map((path) => ({ from: path, to: path })), ...binds].flatMap(
        ({ from, to }) => ['--ro-bind', from, to],
      ),
      ...['--remount-ro', '/', '--chdir', '/'],
      ...(seccomp === undefined ? [] : ['--seccomp', String(SECCOMP_FD)]),
      '--',
    ],
    seccomp,
  };
}

/** A file or folder of the machine and its path inside. */
interface Bind {
  readonly from: string;
  readonly to: string;
}

function libraryFolders(): Bind[] {
  return ['/usr/lib', '/usr/lib64', '/lib', '/lib64'].filter(existsSync).map((path) => ({ from: path, to: path }));
}

const found = new Map<string, readonly Bind[]>();

/** {@link findLibraries}, looked for once: a worker is started while its host has better to do. */
function libraries(node: string): readonly Bind[] {
  let binds = found.get(node);
  if (binds === undefined) {
    binds = findLibraries(node);
    found.set(node, binds);
  }
  return binds;
}

/** The shared libraries this process has loaded from system folders, under every name they go by there. */
function findLibraries(node: string): readonly Bind[] {
  const maps = readFileSync('/proc/self/maps', 'utf8');
  const loaded = new Set(
    [...maps.matchAll(/ (\/(?:usr\/)?(?:local\/)?lib(?:32|64)?\/\S*\.so[.\d]*)$/gm)].flatMap(([, path]) =>
      path === undefined ? [] : [path],
    ),
  );
  const binds = new Map<string, string>();
  for (const path of loaded) for (const name of namesOf(path)) binds.set(name, path);
  for (const interpreter of interpreterOf(node)) binds.set(interpreter, realpathSync(interpreter));
  return [...binds].map(([to, from]) => ({ from, to }));
}

/** Links beside a library that lead to it: programs ask for `libm.so.6`, the file may be `libm-2.31.so`. */
function namesOf(path: string): string[] {
  const folder = dirname(path);
  const stem = basename(path).replace(/[-.\d]*\.so.*$/, '');
  const names = readdirSync(folder).filter((name) => name.startsWith(stem) && name.includes('.so'));
  return [path, ...names.map((name) => join(folder, name)).filter((name) => leadsTo(name, path))];
}

function leadsTo(name: string, path: string): boolean {
  try {
    return realpathSync(name) === realpathSync(path);
  } catch {
    return false;
  }
}

/** The loader an ELF program names in its first bytes. */
function interpreterOf(program: string): string[] {
  const match = /\/lib[\w/.-]*ld[\w.-]*\.so[.\d]*/.exec(headOf(program));
  return match === null || !existsSync(match[0]) ? [] : [match[0]];
}

/** Node itself has a hundred megabytes: no more of it is read than is looked at. */
function headOf(path: string): string {
  const head = Buffer.alloc(4096);
  const fd = openSync(path, 'r');
  try {
    return head.toString('latin1', 0, readSync(fd, head, 0, head.length, 0));
  } finally {
    closeSync(fd);
  }
}
