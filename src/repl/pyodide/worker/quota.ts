/**
 * Quotas on the in-memory files. Their contents live outside of the interpreter's memory, where its cap does not reach:
 * bytes, nodes, open files, names and links are counted here.
 *
 * @module
 */
import type { EmscriptenFs, FsNode, FsStream, MemFs } from './emscripten.ts';
import { ERRNO } from './imports.ts';

const ENAMETOOLONG = 37;
const EMFILE = 33;
/** Files, folders and links per REPL. */
const MAX_NODES = 65_536;
/** Open files per REPL; emscripten's own limit does not hold for F_DUPFD. */
const MAX_STREAMS = 1024;
const MAX_NAME = 255;
const MAX_LINK = 4096;
/** Bytes that a file, folder or link takes in the JavaScript heap, besides its name, its target and its content. */
const NODE_BYTES = 512;
/** Bytes of a character in a name or target. */
const CHARACTER_BYTES = 2;
/** MEMFS gives a file that grows at least so many bytes. */
const LEAST_CAPACITY = 256;
/** Unread bytes in all pipes of the guest's own. */
const MAX_PIPES = 4 * 1024 * 1024;

/** The quota of one REPL. */
export interface Quota {
  /** Bytes of all files, folders and links: capacities, names and targets. */
  limit: number;
  /** Counts again; after files were put back. */
  recount(): void;
}

/** Called before a file's content changes. */
export type BeforeChange = (node: FsNode) => void;

/** Puts the quota into emscripten's file system. */
export function installQuota(fs: EmscriptenFs, beforeChange: BeforeChange): Quota {
  const usage = { bytes: 0, nodes: 0 };
  const quota: Quota = {
    limit: Number.POSITIVE_INFINITY,
    recount() {
      Object.assign(usage, measure(fs));
    },
  };
  const fail = (errno: number): never => {
    throw new fs.ErrnoError(errno);
  };
  const grow = (bytes: number): void => {
    if (bytes <= 0) return;
    // Deleted files are only noticed when room runs out.
    if (usage.bytes + bytes > quota.limit) quota.recount();
    if (usage.bytes + bytes > quota.limit) fail(ERRNO.ENOSPC);
    usage.bytes += bytes;
  };
  withoutPrototypes(fs);
  guardContents(fs, grow, beforeChange);
  guardNodes({ fs, usage, quota, fail, grow });
  guardStreams(fs, fail);
  return quota;
}

/**
 * MEMFS keeps a folder's nodes in an object: there, a node named `__proto__` would become its prototype, where neither
 * the quota nor a snapshot sees it. An object without a prototype has no such name.
 */
function withoutPrototypes(fs: EmscriptenFs): void {
  const visit = (node: FsNode): void => {
    if (!fs.isDir(node.mode) || node.contents === undefined || ArrayBuffer.isView(node.contents)) return;
    node.contents = Object.assign(Object.create(null), node.contents) as Record<string, FsNode>;
    for (const child of Object.values(node.contents)) visit(child);
  };
  visit(fs.root);
}

/** Bytes that a node takes besides its content. */
function bytesOfNode(name: string, target = ''): number {
  return NODE_BYTES + CHARACTER_BYTES * (name.length + target.length);
}

function capacityOf(node: FsNode): number {
  return ArrayBuffer.isView(node.contents) ? node.contents.byteLength : 0;
}

/** Growth happens in three places: two hooks of MEMFS and the first write into an empty file. */
function guardContents(fs: EmscriptenFs, grow: (bytes: number) => void, beforeChange: BeforeChange): void {
  const memfs = fs.filesystems.MEMFS;
  const { expandFileStorage, resizeFileStorage } = memfs;
  const { write } = memfs.stream_ops;
  memfs.expandFileStorage = (node, capacity) => {
    const before = capacityOf(node);
    const least = before === 0 ? 0 : Math.max(LEAST_CAPACITY, before < 1 << 20 ? before * 2 : before * 1.125);
    if (capacity > before) grow(Math.max(capacity, least) - before);
    expandFileStorage(node, capacity);
  };
  memfs.resizeFileStorage = (node, size) => {
    grow(size - capacityOf(node));
    beforeChange(node);
    resizeFileStorage(node, size);
  };
  const guarded = (...args: unknown[]): number => {
    const [stream, , , length, position] = args as [FsStream, unknown, unknown, number, number];
    const node = stream.node;
    if (node.usedBytes === 0 && position === 0) grow(length - capacityOf(node));
    beforeChange(node);
    return Reflect.apply(write, memfs.stream_ops, args);
  };
  memfs.stream_ops.write = guarded;
  const table = (memfs as MemFs).ops_table;
  if (table === null) throw new Error('MEMFS has no operations yet');
  table.file.stream.write = guarded;
}

interface DirOps {
  symlink(parent: FsNode, name: string, target: string): FsNode;
  rename(node: FsNode, folder: FsNode, name: string): void;
}

interface NodeGuard {
  readonly fs: EmscriptenFs;
  readonly usage: { nodes: number };
  readonly quota: Quota;
  readonly fail: (errno: number) => never;
  readonly grow: (bytes: number) => void;
}

function guardNodes({ fs, usage, quota, fail, grow }: NodeGuard): void {
  const memfs = fs.filesystems.MEMFS;
  const { createNode } = memfs;
  memfs.createNode = (parent, name, mode, dev) => {
    if (name.length > MAX_NAME) fail(ENAMETOOLONG);
    if (usage.nodes >= MAX_NODES) quota.recount();
    if (usage.nodes >= MAX_NODES) fail(ERRNO.ENOSPC);
    grow(bytesOfNode(name));
    const node = Reflect.apply(createNode, memfs, [parent, name, mode, dev]);
    usage.nodes += 1;
    if (fs.isDir(node.mode)) node.contents = Object.create(null) as Record<string, FsNode>;
    return node;
  };
  const folders = fs.root.node_ops as DirOps;
  const { symlink, rename } = folders;
  folders.symlink = (parent, name, target) => {
    if (target.length > MAX_LINK) fail(ENAMETOOLONG);
    grow(CHARACTER_BYTES * target.length);
    return symlink(parent, name, target);
  };
  folders.rename = (node, folder, name) => {
    if (name.length > MAX_NAME) fail(ENAMETOOLONG);
    grow(CHARACTER_BYTES * (name.length - node.name.length));
    rename(node, folder, name);
  };
}

interface PipeOps {
  write(stream: FsStream, buffer: Int8Array, offset: number, length: number): number;
}

function guardStreams(fs: EmscriptenFs, fail: (errno: number) => never): void {
  const { createStream, closeStream } = fs;
  const guardedPipes = new WeakSet<object>();
  fs.createStream = (given, fd = -1) => {
    if (fd >= MAX_STREAMS) fail(EMFILE);
    const stream = createStream(given, fd);
    if (stream.fd >= MAX_STREAMS) {
      closeStream(stream.fd);
      fail(EMFILE);
    }
    if (stream.node?.pipe !== undefined && !guardedPipes.has(stream.stream_ops)) {
      guardedPipes.add(stream.stream_ops);
      guardPipes(stream.stream_ops as PipeOps, fail, fs);
    }
    return stream;
  };
  fs.closeStream = (fd) => {
    const node = fs.streams[fd]?.node;
    closeStream(fd);
    // emscripten never forgets the nodes of pipes: opening and closing them in a loop would fill memory.
    if (node?.pipe !== undefined && node.pipe.refcnt <= 0) fs.destroyNode(node);
  };
}

function guardPipes(ops: PipeOps, fail: (errno: number) => never, fs: EmscriptenFs): void {
  const { write } = ops;
  const waiting = (): number => {
    const pipes = new Set(fs.streams.flatMap((stream) => (stream?.node.pipe === undefined ? [] : [stream.node.pipe])));
    const buckets = [...pipes].flatMap((pipe) => pipe.buckets ?? []);
    return buckets.reduce((sum, bucket) => sum + bucket.offset - bucket.roffset, 0);
  };
  ops.write = (stream, buffer, offset, length) => {
    if (waiting() + length > MAX_PIPES) fail(ERRNO.EAGAIN);
    return write(stream, buffer, offset, length);
  };
}

/** Counts what the tree and the open files hold. */
function measure(fs: EmscriptenFs): { bytes: number; nodes: number } {
  const seen = new Set<FsNode>();
  const pending: FsNode[] = [fs.root];
  for (const stream of fs.streams) if (stream?.node) pending.push(stream.node);
  let bytes = 0;
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    bytes += capacityOf(node) + bytesOfNode(node.name, node.link);
    if (fs.isDir(node.mode) && node.mounted === null && node.contents && !ArrayBuffer.isView(node.contents)) {
      pending.push(...Object.values(node.contents));
    }
  }
  return { bytes, nodes: seen.size };
}
