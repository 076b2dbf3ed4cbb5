/**
 * Snapshots of the file tree: MEMFS lives in JavaScript, outside of linear memory, and travels beside it. Contents go
 * to the store; files unchanged since the last snapshot are not written again.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import { FIRST_SHOWN } from './context-files.ts';
import { type EmscriptenFs, type FsNode, fileBytes } from './emscripten.ts';
import {
  type Content,
  type Manifest,
  type ManifestPlace,
  type NodeEntry,
  packSlots,
  SHOWN,
  type StreamEntry,
  slotsOf,
  unpackSlots,
} from './manifest.ts';
import { PAGE } from './protocol.ts';
import type { Slots } from './slots.ts';

/** A manifest with the slots it holds: those of contents, and those it lies in itself. */
export interface FileImage {
  readonly json: string;
  /** Where the manifest lies; a tree of many files is more than a frame holds. */
  readonly place: ManifestPlace;
  readonly slots: readonly number[];
  holders: number;
}

/** The file tree and its images. */
export interface Files {
  /** Called before a content changes (quota.ts). */
  beforeChange(node: FsNode): void;
  /** Takes the state of all files; the caller holds the image. @throws StoreFull */
  save(): FileImage;
  /** Reads a manifest that another worker has stored. */
  adopt(place: ManifestPlace): FileImage;
  hold(image: FileImage): void;
  drop(image: FileImage): void;
  /** Says that the tree is now as in `image`: it stays held while contents refer to it. */
  became(image: FileImage): void;
  /** Contents as at boot, by path. */
  readonly bootContents: ReadonlyMap<string, Uint8Array>;
}

export interface FilesOptions {
  readonly fs: EmscriptenFs;
  readonly slots: Slots;
  readonly umask: () => number;
}

/** Opens the tree as it is after boot. */
export function openFiles({ fs, slots, umask }: FilesOptions): Files {
  const bootContents = new Map<string, Uint8Array>();
  rememberBoot(fs, bootContents);
  let current: FileImage | undefined;

  const hold = (image: FileImage): void => {
    image.holders += 1;
    if (image.holders === 1) slots.retain(image.slots);
  };
  const drop = (image: FileImage): void => {
    image.holders -= 1;
    if (image.holders === 0) slots.release(image.slots);
  };
  const became = (image: FileImage): void => {
    hold(image);
    if (current !== undefined) drop(current);
    current = image;
  };
  return {
    bootContents,
    hold,
    drop,
    became,
    beforeChange(node) {
      const saved = node.fathomSaved as Content | undefined;
      if (saved === undefined) return;
      // Boot contents are kept for rollbacks: the guest writes into a copy.
      const bytes = fileBytes(node);
      if ('base' in saved && bytes !== undefined) node.contents = bytes.slice();
      node.fathomSaved = undefined;
    },
    save() {
      const writer = makeWriter(fs, slots);
      const json = JSON.stringify({
        cwd: fs.currentPath,
        umask: umask(),
        nextInode: fs.nextInode,
        ...writer.describe(),
      } satisfies Manifest);
      if (current !== undefined && current.json === json) return current;
      const bytes = Buffer.from(json);
      const count = Math.ceil(bytes.length / PAGE);
      slots.reserve(count);
      const taken = slots.take(count);
      slots.write(taken, bytes, 0, bytes.length);
      const place = { slots: packSlots(taken), bytes: bytes.length };
      const image = { json, place, slots: [...writer.used(), ...taken], holders: 0 };
      became(image);
      return image;
    },
    adopt(place) {
      const bytes = Buffer.alloc(place.bytes);
      const own = unpackSlots(place.slots);
      slots.readInto(own, bytes, 0, place.bytes);
      const json = bytes.toString('utf8');
      const manifest = JSON.parse(json) as Manifest;
      const used = manifest.nodes.flatMap((node) => (node.content === undefined ? [] : slotsOf(node.content)));
      return { json, place, slots: [...used, ...own], holders: 0 };
    },
  };
}

/** Marks every file of the booted system, so that its content need not be stored. */
function rememberBoot(fs: EmscriptenFs, contents: Map<string, Uint8Array>): void {
  const visit = (node: FsNode, path: string): void => {
    const bytes = fileBytes(node);
    if (bytes !== undefined) {
      contents.set(path, bytes);
      node.fathomSaved = { base: path, size: node.usedBytes ?? 0 } satisfies Content;
    } else if (isOpenFolder(fs, node)) {
      for (const child of childrenOf(node)) visit(child, `${path}/${child.name}`);
    }
  };
  visit(fs.root, '');
}

/** A folder whose children are in memory: not the mount point of another file system. */
export function isOpenFolder(fs: EmscriptenFs, node: FsNode): boolean {
  return fs.isDir(node.mode) && node.mounted === null;
}

/** Where another file system is: the files of contexts, which stay whatever a snapshot has. */
export function isMountPoint(node: FsNode): boolean {
  return typeof node.mounted === 'object' && node.mounted !== null;
}

/** A file or folder of a context: in a file system of its own, which no snapshot has. */
function isShown(node: FsNode): boolean {
  return node.id >= FIRST_SHOWN;
}

/** A folder's nodes. */
export function childrenOf(node: FsNode): FsNode[] {
  const { contents } = node;
  return contents === undefined || ArrayBuffer.isView(contents) ? [] : Object.values(contents);
}

interface Writer {
  describe(): Pick<Manifest, 'nodes' | 'streams' | 'pipes'>;
  used(): number[];
}

function makeWriter(fs: EmscriptenFs, slots: Slots): Writer {
  const nodes: NodeEntry[] = [];
  const indexes = new Map<FsNode, number>();
  const pipes: string[] = [];
  const pipeNumbers = new Map<object, number>();
  const used: number[] = [];

  const contentOf = (node: FsNode): Content => {
    const saved = node.fathomSaved as Content | undefined;
    if (saved !== undefined) return saved;
    const size = node.usedBytes ?? 0;
    const count = Math.ceil(size / PAGE);
    slots.reserve(count);
    const taken = slots.take(count);
    const bytes = fileBytes(node);
    if (bytes !== undefined) slots.write(taken, bytes, 0, size);
    const content = { slots: packSlots(taken), size };
    node.fathomSaved = content;
    return content;
  };
  const pipeOf = (node: FsNode): number => {
    const pipe = node.pipe;
    if (pipe === undefined) return -1;
    const known = pipeNumbers.get(pipe);
    if (known !== undefined) return known;
    const waiting = (pipe.buckets ?? []).map((bucket) => bucket.buffer.subarray(bucket.roffset, bucket.offset));
    pipeNumbers.set(pipe, pipes.length);
    return pipes.push(Buffer.concat(waiting).toString('base64')) - 1;
  };
  const add = (node: FsNode, parent: number | undefined): number => {
    const known = indexes.get(node);
    if (known !== undefined) return known;
    const index = nodes.push(describeNode({ fs, node, parent, contentOf, pipeOf })) - 1;
    indexes.set(node, index);
    const content = nodes[index]?.content;
    if (content !== undefined) for (const slot of slotsOf(content)) used.push(slot);
    if (isOpenFolder(fs, node)) for (const child of childrenOf(node)) add(child, index);
    return index;
  };
  return {
    describe() {
      add(fs.root, undefined);
      const streams = describeStreams(fs, (node) => add(node, -1));
      return { nodes, streams, pipes };
    },
    used: () => used,
  };
}

function describeNode(request: {
  readonly fs: EmscriptenFs;
  readonly node: FsNode;
  readonly parent: number | undefined;
  readonly contentOf: (node: FsNode) => Content;
  readonly pipeOf: (node: FsNode) => number;
}): NodeEntry {
  const { fs, node, parent } = request;
  return {
    id: node.id,
    ...(parent === undefined ? {} : { parent }),
    name: node.name,
    mode: node.mode,
    times: [Number(node.atime), Number(node.mtime), Number(node.ctime)],
    ...(fs.isChrdev(node.mode) ? { rdev: node.rdev } : {}),
    ...(node.link === undefined ? {} : { link: node.link }),
    ...(fs.isFile(node.mode) ? { content: request.contentOf(node) } : {}),
    ...(node.pipe === undefined ? {} : { pipe: request.pipeOf(node) }),
  };
}

function describeStreams(fs: EmscriptenFs, indexOf: (node: FsNode) => number): StreamEntry[] {
  const groups = new Map<object, number>();
  const streams: StreamEntry[] = [];
  for (const stream of fs.streams) {
    // A stream without content, pipe and device (the folder of descriptors) cannot be opened again: it is lost.
    if (!stream || (stream.node.mounted === undefined && stream.node.pipe === undefined)) continue;
    const shared = groups.get(stream.shared) ?? groups.size;
    groups.set(stream.shared, shared);
    streams.push({
      fd: stream.fd,
      node: isShown(stream.node) ? SHOWN : indexOf(stream.node),
      path: stream.path,
      flags: stream.flags,
      position: stream.position ?? 0,
      seekable: stream.seekable ?? true,
      shared,
    });
  }
  return streams;
}
