/**
 * Files of contexts as a file system of their own, read-only. The host writes their bytes one after the other to a file
 * that this worker can only read: they are in no snapshot, no quota and no memory.
 *
 * @module
 */
import { readSync } from 'node:fs';
import type { EmscriptenFs, FsNode, FsStream } from './emscripten.ts';
import { FD, type ShownFile } from './protocol.ts';

const ENOENT = 44;
const EINVAL = 28;
const EROFS = 69;
const FOLDER_MODE = 0o040_555;
const FILE_MODE = 0o100_444;
const BLOCK = 4096;
/** Numbers that no node of MEMFS has: emscripten finds nodes by the number of their folder. */
export const FIRST_SHOWN = 0x4000_0000;

/** The folder of one REPL's context files. */
export interface ContextFiles {
  /** Adds files. The first ones make the folder. Returns why they cannot be shown, or ''. */
  show(files: readonly ShownFile[]): string;
}

type Content =
  | { readonly kind: 'folder'; readonly children: Map<string, FsNode> }
  | { readonly kind: 'file'; readonly offset: number; readonly bytes: number };

/** Makes the collection; `folder` is where cells see it. */
export function makeContextFiles(fs: EmscriptenFs, folder: string): ContextFiles {
  const contents = new WeakMap<FsNode, Content>();
  const ops = operations(fs, contents);
  let inode = FIRST_SHOWN;
  let root: FsNode | undefined;

  function make(parent: FsNode | null, name: string, content: Content): FsNode {
    // Not by `createNode`: that puts it into emscripten's table of names, which a rollback makes again.
    const node = new fs.FSNode(parent, name, content.kind === 'folder' ? FOLDER_MODE : FILE_MODE, 0);
    node.id = inode;
    inode += 1;
    node.node_ops = ops.node;
    node.stream_ops = content.kind === 'folder' ? ops.folderStream : ops.stream;
    contents.set(node, content);
    return node;
  }

  function folderOf(parent: FsNode, name: string): FsNode {
    const { children } = folderContent(parent);
    const known = children.get(name);
    if (known !== undefined && contents.get(known)?.kind === 'folder') return known;
    const made = make(parent, name, { kind: 'folder', children: new Map() });
    children.set(name, made);
    return made;
  }

  function folderContent(node: FsNode): Extract<Content, { kind: 'folder' }> {
    const content = contents.get(node);
    if (content?.kind !== 'folder') throw new Error('not a folder of a context');
    return content;
  }

  function mount(): FsNode | undefined {
    try {
      fs.mkdir(folder);
    } catch {
      return undefined;
    }
    const type = { mount: () => make(null, '/', { kind: 'folder', children: new Map() }) };
    return fs.mount(type, {}, folder);
  }

  return {
    show(files) {
      root ??= mount();
      if (root === undefined) return `${folder} is the place of the context's files, and is taken`;
      for (const [at, offset, bytes] of files) {
        const parts = at.split('/');
        const name = parts.pop() ?? '';
        const parent = parts.reduce(folderOf, root);
        folderContent(parent).children.set(name, make(parent, name, { kind: 'file', offset, bytes }));
      }
      return '';
    },
  };
}

interface Operations {
  readonly node: object;
  readonly stream: object;
  /** Listing a folder goes by positions in it. */
  readonly folderStream: object;
}

function operations(fs: EmscriptenFs, contents: WeakMap<FsNode, Content>): Operations {
  const refuse = (): never => {
    throw new fs.ErrnoError(EROFS);
  };
  const sizeOf = (node: FsNode): number => {
    const content = contents.get(node);
    return content?.kind === 'file' ? content.bytes : BLOCK;
  };
  const node = {
    getattr(it: FsNode): object {
      const size = sizeOf(it);
      const time = new Date(Number(it.mtime));
      const times = { atime: time, mtime: time, ctime: time };
      const owner = { uid: 0, gid: 0, rdev: 0, dev: 1, nlink: 1 };
      return { ...owner, ...times, ino: it.id, mode: it.mode, size, blksize: BLOCK, blocks: Math.ceil(size / BLOCK) };
    },
    lookup(parent: FsNode, name: string): FsNode {
      const content = contents.get(parent);
      const found = content?.kind === 'folder' ? content.children.get(name) : undefined;
      if (found === undefined) throw new fs.ErrnoError(ENOENT);
      return found;
    },
    readdir(it: FsNode): string[] {
      const content = contents.get(it);
      return ['.', '..', ...(content?.kind === 'folder' ? content.children.keys() : [])];
    },
    ...{ setattr: refuse, mknod: refuse, unlink: refuse, rmdir: refuse, rename: refuse, symlink: refuse },
  };
  const stream = {
    read({ node: it }: FsStream, buffer: Int8Array, offset: number, length: number, position: number): number {
      const content = contents.get(it);
      if (content?.kind !== 'file') throw new fs.ErrnoError(EINVAL);
      const count = Math.min(length, Math.max(0, content.bytes - position));
      return count === 0 ? 0 : readSync(FD.files, buffer, offset, count, content.offset + position);
    },
    write: refuse,
    llseek(it: FsStream, offset: number, whence: number): number {
      const from = whence === 1 ? it.position : whence === 2 ? sizeOf(it.node) : 0;
      if (from + offset < 0) throw new fs.ErrnoError(EINVAL);
      return from + offset;
    },
  };
  return { node, stream, folderStream: { llseek: stream.llseek } };
}
