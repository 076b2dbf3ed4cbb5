/**
 * Reads objects of the git repository that a folder lies in, with two commands that run no hook, filter or
 * textconv, and fetch nothing: `git ls-tree` and `git cat-file --batch`.
 *
 * @module
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { RlmError } from '../../errors.ts';

/** Settings that win over those of a repository, which is untrusted. */
const SETTINGS = ['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'protocol.allow=never'];
/** Longest standard error that an error repeats. */
const SHOWN_CHARS = 300;

/** How git is run. */
export interface GitUse {
  /** As the user gave it: `git:HEAD~3`. Errors name it. */
  readonly source: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** Default: the working directory. */
  readonly cwd?: string;
}

/** A found object. */
export interface GitObject {
  readonly hash: string;
  readonly type: string;
  readonly bytes: number;
}

/** A file of a tree. */
export interface TreeEntry {
  /** e.g. `100644`. */
  readonly mode: string;
  readonly hash: string;
  readonly bytes: number;
  readonly path: string;
}

/** The first of these names that is an object of the repository. @throws RlmError `context-not-found` */
export async function findObject(names: readonly string[], use: GitUse): Promise<GitObject> {
  const git = start(['cat-file', '--batch-check=%(objectname) %(objecttype) %(objectsize)'], use);
  git.child.stdin.end(`${names.join('\n')}\n`);
  const pieces: Buffer[] = [];
  for await (const piece of git.output()) pieces.push(piece);
  for (const line of Buffer.concat(pieces).toString('utf8').split('\n')) {
    const [, hash, type, bytes] = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(line) ?? [];
    if (hash !== undefined && type !== undefined) return { hash, type, bytes: Number(bytes) };
  }
  throw notFound(use.source, 'the repository has no such revision, or no such path in it');
}

/** The files below a tree, at any depth. */
export async function* treeEntries(tree: string, use: GitUse): AsyncGenerator<TreeEntry> {
  const git = start(['ls-tree', '-r', '-z', '-l', '--full-tree', tree], use);
  let rest = '';
  const decoder = new TextDecoder();
  for await (const piece of git.output()) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\0');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, mode, hash, bytes, path] = /^(\d+) \w+ ([0-9a-f]+) +(\d+|-)\t(.*)$/s.exec(line) ?? [];
      if (mode === undefined || hash === undefined || path === undefined)
        throw unreadable(use.source, `git ls-tree printed ${JSON.stringify(line)}`);
      yield { mode, hash, bytes: bytes === '-' ? 0 : Number(bytes), path };
    }
  }
}

/** The contents of objects, in their order, in pieces; each is announced by its number of bytes. */
export async function* contents(
  hashes: readonly string[],
  use: GitUse,
): AsyncGenerator<{ readonly hash: string; readonly bytes: number } | Buffer> {
  const git = start(['cat-file', '--batch'], use);
  git.child.stdin.end(`${hashes.join('\n')}\n`);
  let waiting: Buffer = Buffer.alloc(0);
  let left = 0;
  for await (const piece of git.output()) {
    waiting = waiting.length === 0 ? piece : Buffer.concat([waiting, piece]);
    while (waiting.length > 0) {
      if (left > 0) {
        // A line feed ends each content.
        const part = waiting.subarray(0, left);
        waiting = waiting.subarray(part.length);
        left -= part.length;
        const own = left === 0 ? part.subarray(0, -1) : part;
        if (own.length > 0) yield own;
        continue;
      }
      const end = waiting.indexOf('\n');
      if (end < 0) break;
      const line = waiting.toString('utf8', 0, end);
      const [, hash, bytes] = /^([0-9a-f]+) blob (\d+)$/.exec(line) ?? [];
      if (hash === undefined) throw unreadable(use.source, line);
      yield { hash, bytes: Number(bytes) };
      left = Number(bytes) + 1;
      waiting = waiting.subarray(end + 1);
    }
  }
}

interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  /** Its standard output; it throws where the command fails, and ends the command where the reader stops. */
  readonly output: () => AsyncGenerator<Buffer>;
}

function start(args: readonly string[], use: GitUse): Started {
  const { source, env, signal, cwd } = use;
  const settings = SETTINGS.flatMap((setting) => ['-c', setting]);
  const child = spawn('git', ['--no-pager', ...settings, ...args], {
    env: gitEnvironment(env),
    stdio: 'pipe',
    ...(cwd !== undefined && { cwd }),
    ...(signal !== undefined && { signal }),
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, SHOWN_CHARS);
  });
  // It ended before it read all: its exit code says why.
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').catch((error: unknown) => error as NodeJS.ErrnoException);
  return {
    child,
    async *output() {
      try {
        for await (const piece of child.stdout) yield piece as Buffer;
        const end = await ended;
        if (!Array.isArray(end)) throw signal?.aborted === true ? end : cannotRun(source, end);
        if (end[0] !== 0) throw whyFailed(use, said);
      } finally {
        child.kill();
      }
    },
  };
}

/** Nothing of the environment that names other repositories, programs or places for traces. */
function gitEnvironment({ PATH, HOME, XDG_CONFIG_HOME }: GitUse['env']): Record<string, string> {
  return {
    ...(PATH !== undefined && { PATH }),
    ...(HOME !== undefined && { HOME }),
    ...(XDG_CONFIG_HOME !== undefined && { XDG_CONFIG_HOME }),
    LC_ALL: 'C',
    GIT_NO_LAZY_FETCH: '1',
    // Versions before 2.44 do not know that; without a protocol they cannot fetch either.
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
  };
}

function whyFailed({ source, cwd = 'the working directory' }: GitUse, said: string): RlmError {
  if (/not a git repository/i.test(said)) return notFound(source, `${cwd} does not lie in a git repository`);
  return unreadable(source, said.trim().split('\n')[0] ?? '');
}

function cannotRun(source: string, { code, message }: NodeJS.ErrnoException): RlmError {
  return unreadable(source, code === 'ENOENT' ? 'the program git is not installed, or not on PATH' : message);
}

export function notFound(source: string, why: string): RlmError {
  const message = `No context in ${source}: ${why}.`;
  return new RlmError({ code: 'context-not-found', message, userAction: true, data: { path: source } });
}

export function unreadable(source: string, why: string): RlmError {
  const message = `The context ${source} cannot be read: ${why}.`;
  return new RlmError({ code: 'context-invalid', message, userAction: true, data: { path: source } });
}
