/**
 * Quotas on the in-memory files. Their contents live in the JavaScript heap, where the interpreter's memory cap does
 * not reach (F5): bytes, nodes, open files, names and links are counted here.
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
/** Bytes in all pipes of the guest's own that nobody has read. */
const MAX_PIPES = 4 * 1024 * 1024;

/** The quota of one REPL. */
export interface Quota {
  /** Bytes of all files, capacity included. */
  limit: number;
  /** Counts anew; after files were put back. */
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
    // What was deleted is only noticed when place runs out.
    if (usage.bytes + bytes > quota.limit) quota.recount();
    if (usage.bytes + bytes > quota.limit) fail(ERRNO.ENOSPC);
    usage.bytes += bytes;
  };
  guardContents(fs, grow, beforeChange);
  guardNodes(fs, usage, quota, fail);
  guardStreams(fs, fail);
  return quota;
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
    if (capacity > before) grow(Math.max(capacity, before < 1 << 20 ? before * 2 : before * 1.125) - before);
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

function guardNodes(fs: EmscriptenFs, usage: { nodes: number }, quota: Quota, fail: (errno: number) => never): void {
  const memfs = fs.filesystems.MEMFS;
  const { createNode } = memfs;
  memfs.createNode = (parent, name, mode, dev) => {
    if (name.length > MAX_NAME) fail(ENAMETOOLONG);
    if (usage.nodes >= MAX_NODES) quota.recount();
    if (usage.nodes >= MAX_NODES) fail(ERRNO.ENOSPC);
    usage.nodes += 1;
    return Reflect.apply(createNode, memfs, [parent, name, mode, dev]);
  };
  const folders = fs.root.node_ops as DirOps;
  const { symlink, rename } = folders;
  folders.symlink = (parent, name, target) => {
    if (target.length > MAX_LINK) fail(ENAMETOOLONG);
    return symlink(parent, name, target);
  };
  folders.rename = (node, folder, name) => {
    if (name.length > MAX_NAME) fail(ENAMETOOLONG);
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
    bytes += capacityOf(node);
    if (fs.isDir(node.mode) && node.mounted === null && node.contents && !ArrayBuffer.isView(node.contents)) {
      pending.push(...Object.values(node.contents));
    }
  }
  return { bytes, nodes: seen.size };
}
