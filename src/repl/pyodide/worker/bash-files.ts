/**
 * The guest's files as just-bash sees them: the same tree, the same quota.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import { posix } from 'node:path';
import type { IFileSystem } from 'just-bash/browser';
import type { EmscriptenFs } from './emscripten.ts';

/** emscripten's errno values that bash users meet. */
const CODES: ReadonlyMap<number, string> = new Map([
  [2, 'EACCES'],
  [10, 'EBUSY'],
  [20, 'EEXIST'],
  [28, 'EINVAL'],
  [31, 'EISDIR'],
  [32, 'ELOOP'],
  [37, 'ENAMETOOLONG'],
  [44, 'ENOENT'],
  [51, 'ENOSPC'],
  [54, 'ENOTDIR'],
  [55, 'ENOTEMPTY'],
  [63, 'EPERM'],
  [69, 'EROFS'],
  [75, 'EXDEV'],
]);
const ENOENT = 44;

/** just-bash's bytes as characters up to 255. */
type ByteString = Awaited<ReturnType<NonNullable<IFileSystem['readFileBytes']>>>;
type EncodingOption = { readonly encoding?: string | null } | string | undefined;

/** Whether links are shown as what they lead to, as `find -L` wants it. */
export interface LinkMode {
  follow: boolean;
}

/** Makes the adapter. */
export function bashFiles(fs: EmscriptenFs, links: LinkMode = { follow: false }): IFileSystem {
  const attempt = <T>(operation: string, path: string, run: () => T): Promise<T> => {
    try {
      return Promise.resolve(run());
    } catch (error) {
      return Promise.reject(nodeError(error, operation, path));
    }
  };
  const write = (path: string, content: string | Uint8Array, options: EncodingOption, flags: string): void => {
    // MEMFS takes a slice, which does not copy a Buffer: it would keep all of a pool, uncounted.
    const bytes = new Uint8Array(typeof content === 'string' ? Buffer.from(content, encodingOf(options)) : content);
    fs.mkdirTree(posix.dirname(path));
    const stream = fs.open(path, flags);
    try {
      if (bytes.length > 0) fs.write(stream, bytes, 0, bytes.length);
    } finally {
      fs.close(stream);
    }
  };
  return {
    readFile: (path, options) =>
      attempt('open', path, () => Buffer.from(fs.readFile(path)).toString(encodingOf(options))),
    readFileBytes: (path) =>
      attempt('open', path, () => Buffer.from(fs.readFile(path)).toString('latin1') as unknown as ByteString),
    readFileBuffer: (path) => attempt('open', path, () => fs.readFile(path)),
    writeFile: (path, content, options) => attempt('open', path, () => write(path, content, options, 'w')),
    appendFile: (path, content, options) => attempt('open', path, () => write(path, content, options, 'a')),
    exists: (path) => attempt('stat', path, () => exists(fs, path)),
    stat: (path) => attempt('stat', path, () => describe(fs, path, false)),
    lstat: (path) => attempt('lstat', path, () => describe(fs, path, !(links.follow && leadsElsewhere(fs, path)))),
    mkdir: (path, options) =>
      attempt('mkdir', path, () => (options?.recursive ? fs.mkdirTree(path) : void fs.mkdir(path))),
    readdir: (path) => attempt('scandir', path, () => namesIn(fs, path)),
    rm: (path, options) => attempt('rm', path, () => remove(fs, path, options ?? {})),
    cp: (from, to, options) => attempt('cp', from, () => copy(fs, from, to, options?.recursive === true)),
    mv: (from, to) => attempt('rename', from, () => fs.rename(from, to)),
    resolvePath: (base, path) => posix.resolve(base, path),
    getAllPaths: () => allPaths(fs),
    chmod: (path, mode) => attempt('chmod', path, () => fs.chmod(path, mode)),
    symlink: (target, path) => attempt('symlink', path, () => void fs.symlink(target, path)),
    // emscripten has no hard links; a copy is the nearest thing.
    link: (from, to) => attempt('link', from, () => copy(fs, from, to, false)),
    readlink: (path) => attempt('readlink', path, () => fs.readlink(path)),
    realpath: (path) => attempt('realpath', path, () => fs.lookupPath(path, { follow: true }).path),
    utimes: (path, atime, mtime) => attempt('utime', path, () => fs.utime(path, Number(atime), Number(mtime))),
  };
}

function encodingOf(options: EncodingOption): BufferEncoding {
  const encoding = typeof options === 'string' ? options : options?.encoding;
  return encoding === 'binary' ? 'latin1' : ((encoding ?? 'utf8') as BufferEncoding);
}

function nodeError(error: unknown, operation: string, path: string): Error {
  const errno = typeof error === 'object' && error !== null ? (error as { errno?: unknown }).errno : undefined;
  const code = (typeof errno === 'number' ? CODES.get(errno) : undefined) ?? 'EIO';
  return Object.assign(new Error(`${code}: ${operation} '${path}'`), { code });
}

function exists(fs: EmscriptenFs, path: string): boolean {
  try {
    fs.stat(path);
    return true;
  } catch {
    return false;
  }
}

function describe(fs: EmscriptenFs, path: string, dontFollow: boolean): Awaited<ReturnType<IFileSystem['stat']>> {
  const stat = fs.stat(path, dontFollow);
  return {
    isFile: fs.isFile(stat.mode),
    isDirectory: fs.isDir(stat.mode),
    isSymbolicLink: fs.isLink(stat.mode),
    mode: stat.mode & 0o7777,
    size: stat.size,
    mtime: new Date(stat.mtime),
    ino: stat.ino,
    dev: 1,
  };
}

/** False for a link to nothing, and for one to a folder above it, which would have no end. */
function leadsElsewhere(fs: EmscriptenFs, path: string): boolean {
  if (!exists(fs, path)) return false;
  const target = fs.lookupPath(path, { follow: true }).path;
  const folder = fs.lookupPath(posix.dirname(path), { follow: true }).path;
  return folder !== target && !folder.startsWith(target.endsWith('/') ? target : `${target}/`);
}

function namesIn(fs: EmscriptenFs, path: string): string[] {
  return fs
    .readdir(path)
    .filter((name) => name !== '.' && name !== '..')
    .sort();
}

function remove(fs: EmscriptenFs, path: string, options: { recursive?: boolean; force?: boolean }): void {
  let folder: boolean;
  try {
    folder = fs.isDir(fs.stat(path, true).mode);
  } catch (error) {
    if (options.force && (error as { errno?: unknown }).errno === ENOENT) return;
    throw error;
  }
  if (!folder) {
    fs.unlink(path);
    return;
  }
  if (options.recursive) for (const name of namesIn(fs, path)) remove(fs, posix.join(path, name), options);
  fs.rmdir(path);
}

function copy(fs: EmscriptenFs, from: string, to: string, recursive: boolean): void {
  const stat = fs.stat(from);
  if (!fs.isDir(stat.mode)) {
    fs.writeFile(to, fs.readFile(from));
    fs.chmod(to, stat.mode & 0o7777);
    return;
  }
  if (!recursive) throw new fs.ErrnoError(31);
  fs.mkdirTree(to);
  for (const name of namesIn(fs, from)) copy(fs, posix.join(from, name), posix.join(to, name), true);
}

/** Every path for globs, without the parts that are not the user's. */
function allPaths(fs: EmscriptenFs): string[] {
  const paths: string[] = [];
  const visit = (folder: string): void => {
    for (const name of namesIn(fs, folder)) {
      const path = posix.join(folder, name);
      if (/^\/(proc|dev|lib)(\/|$)/.test(path)) continue;
      paths.push(path);
      if (fs.isDir(fs.stat(path, true).mode)) visit(path);
    }
  };
  visit('/');
  return paths;
}
