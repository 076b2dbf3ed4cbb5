/**
 * Puts the file tree back as a manifest says. Nodes that have not changed stay as they are.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import type { EmscriptenFs, FsNode, FsPipe } from './emscripten.ts';
import { childrenOf, isMountPoint, isOpenFolder } from './files.ts';
import {
  type Content,
  type Manifest,
  type NodeEntry,
  SHOWN,
  type StreamEntry,
  sameContent,
  slotsOf,
} from './manifest.ts';
import type { Slots } from './slots.ts';

export interface RestoreFilesRequest {
  readonly fs: EmscriptenFs;
  readonly slots: Slots;
  readonly manifest: Manifest;
  readonly bootContents: ReadonlyMap<string, Uint8Array>;
  /** Stream operations of pipes, taken from one at boot. */
  readonly pipeOps: object;
}

/** Restores tree, contents, open files and working directory. */
export function restoreFiles(request: RestoreFilesRequest): void {
  const { fs, manifest } = request;
  const made: FsNode[] = [];
  const wanted = new Map<number, Map<string, number>>();
  for (const [index, entry] of manifest.nodes.entries()) {
    if (entry.parent === undefined || entry.parent < 0) continue;
    const siblings = wanted.get(entry.parent) ?? new Map<string, number>();
    wanted.set(entry.parent, siblings.set(entry.name, index));
  }
  fs.streams.length = 0;
  for (const [index, entry] of manifest.nodes.entries()) {
    made[index] = nodeFor(request, entry, made);
    removeOthers(fs, made[index], wanted.get(index) ?? new Map(), manifest);
  }
  rehash(fs);
  reopen(request, made);
  fs.currentPath = manifest.cwd;
  fs.nextInode = Math.max(fs.nextInode, manifest.nextInode);
}

/** Nodes are found by the number of their folder, and numbers may have changed. */
function rehash(fs: EmscriptenFs): void {
  fs.nameTable.fill(undefined);
  const visit = (node: FsNode): void => {
    fs.hashAddNode(node);
    if (isOpenFolder(fs, node)) for (const child of childrenOf(node)) visit(child);
  };
  visit(fs.root);
}

/** The live node of an entry, made or changed where it differs. */
function nodeFor(request: RestoreFilesRequest, entry: NodeEntry, made: readonly FsNode[]): FsNode {
  const { fs } = request;
  if (entry.parent === undefined) return withTimes(fs.root, entry);
  if (entry.pipe !== undefined) return pipeNode(request, entry, made);
  const parent = entry.parent < 0 ? fs.root : made[entry.parent];
  if (parent === undefined) throw new Error('a folder is missing');
  const live = entry.parent < 0 ? undefined : childNamed(parent, entry.name);
  const kept = live !== undefined && sameKind(live, entry) ? live : undefined;
  if (live !== undefined && kept === undefined) detach(fs, live);
  const node = kept ?? fs.filesystems.MEMFS.createNode(parent, entry.name, entry.mode, entry.rdev ?? 0);
  node.mode = entry.mode;
  node.id = entry.id;
  if (entry.link !== undefined) node.link = entry.link;
  if (entry.content !== undefined) fill(request, node, entry.content);
  // Deleted while open: it has content, but no place in the tree.
  if (entry.parent < 0) detach(fs, node);
  return withTimes(node, entry);
}

function sameKind(live: FsNode, entry: NodeEntry): boolean {
  return (live.mode & 0o170000) === (entry.mode & 0o170000) && (entry.rdev === undefined || live.rdev === entry.rdev);
}

function childNamed(parent: FsNode, name: string): FsNode | undefined {
  const { contents } = parent;
  if (contents === undefined || ArrayBuffer.isView(contents)) return undefined;
  return Object.hasOwn(contents, name) ? contents[name] : undefined;
}

function withTimes(node: FsNode, entry: NodeEntry): FsNode {
  [node.atime, node.mtime, node.ctime] = entry.times;
  return node;
}

function fill({ slots, bootContents }: RestoreFilesRequest, node: FsNode, content: Content): void {
  const saved = node.fathomSaved as Content | undefined;
  if (saved !== undefined && sameContent(saved, content)) return;
  if ('base' in content) {
    node.contents = bootContents.get(content.base) ?? new Uint8Array(0);
  } else {
    const bytes = new Uint8Array(content.size);
    slots.readInto(slotsOf(content), bytes, 0, content.size);
    node.contents = bytes;
  }
  node.usedBytes = content.size;
  node.fathomSaved = content;
}

function detach(fs: EmscriptenFs, node: FsNode): void {
  if (isOpenFolder(fs, node)) for (const child of childrenOf(node)) detach(fs, child);
  const folder = node.parent.contents;
  if (folder !== undefined && !ArrayBuffer.isView(folder) && folder[node.name] === node) delete folder[node.name];
  fs.destroyNode(node);
}

function removeOthers(
  fs: EmscriptenFs,
  node: FsNode | undefined,
  wanted: ReadonlyMap<string, number>,
  manifest: Manifest,
): void {
  if (node === undefined || !isOpenFolder(fs, node) || manifest.nodes.length === 0) return;
  for (const child of childrenOf(node)) {
    if (!wanted.has(child.name) && !isMountPoint(child)) detach(fs, child);
  }
}

function pipeNode({ fs, manifest }: RestoreFilesRequest, entry: NodeEntry, made: readonly FsNode[]): FsNode {
  const other = manifest.nodes.findIndex(({ pipe }, index) => pipe === entry.pipe && made[index] !== undefined);
  const waiting = Buffer.from(manifest.pipes[entry.pipe ?? 0] ?? '', 'base64');
  const buffer = new Uint8Array(Math.max(8192, waiting.length));
  buffer.set(waiting);
  const fresh: FsPipe = { buckets: [{ buffer, offset: waiting.length, roffset: 0 }], refcnt: 0 };
  const node = fs.createNode(fs.root, entry.name, entry.mode, 0);
  fs.destroyNode(node);
  node.pipe = made[other]?.pipe ?? fresh;
  return node;
}

function reopen({ fs, manifest, pipeOps }: RestoreFilesRequest, made: readonly FsNode[]): void {
  const shared = new Map<number, object>();
  for (const entry of manifest.streams) {
    const node = entry.node === SHOWN ? shownAt(fs, entry.path) : made[entry.node];
    if (node === undefined) continue;
    const stream = fs.createStream(
      { node, path: entry.path, ...opsFor(fs, node, pipeOps), ungotten: [], error: false },
      entry.fd,
    );
    const known = shared.get(entry.shared);
    if (known !== undefined) stream.shared = known;
    else {
      shared.set(entry.shared, stream.shared);
      setPosition(stream, entry);
    }
    stream.seekable = entry.seekable;
    if (node.pipe !== undefined) node.pipe.refcnt += 1;
  }
}

/** A file of a context, which is not in the snapshot; undefined where it is not shown any more. */
function shownAt(fs: EmscriptenFs, path: string): FsNode | undefined {
  try {
    return fs.lookupPath(path).node;
  } catch {
    return undefined;
  }
}

function setPosition(stream: { flags: number; position: number }, entry: StreamEntry): void {
  stream.flags = entry.flags;
  stream.position = entry.position;
}

function opsFor(fs: EmscriptenFs, node: FsNode, pipeOps: object): { stream_ops: object } {
  if (node.pipe !== undefined) return { stream_ops: pipeOps };
  if (fs.isChrdev(node.mode)) return { stream_ops: fs.getDevice(node.rdev)?.stream_ops ?? {} };
  return { stream_ops: node.stream_ops };
}
