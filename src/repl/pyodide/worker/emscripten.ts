/**
 * The parts of Pyodide's and emscripten's JavaScript that the worker touches.
 *
 * @module
 */

/** A node of emscripten's file systems. */
export interface FsNode {
  id: number;
  name: string;
  mode: number;
  rdev: number;
  parent: FsNode;
  mount: { readonly mountpoint: string };
  mounted: unknown;
  /** A file's bytes (an Int8Array after a first write straight from the heap), or a folder's nodes. */
  contents?: Uint8Array | Int8Array | Record<string, FsNode>;
  usedBytes?: number;
  link?: string;
  atime: number;
  mtime: number;
  ctime: number;
  node_ops: object;
  stream_ops: object;
  /** PIPEFS only. */
  pipe?: FsPipe;
  /** Ours: where this content lies in the store, while it has not changed since (files.ts). */
  fathomSaved?: unknown;
}

/** A pipe of PIPEFS. */
export interface FsPipe {
  buckets: { buffer: Uint8Array; offset: number; roffset: number }[];
  refcnt: number;
}

/** An open file. Duplicates share `shared`. */
export interface FsStream {
  fd: number;
  node: FsNode;
  path: string;
  flags: number;
  position: number;
  seekable: boolean;
  shared: object;
  stream_ops: object;
}

/** Handlers of a character device. */
export interface DeviceOps {
  open?(stream: FsStream): void;
  close?(stream: FsStream): void;
  read(stream: FsStream, buffer: Int8Array, offset: number, length: number): number;
  write(stream: FsStream, buffer: Int8Array, offset: number, length: number): number;
  llseek(): never;
}

/** In-memory files: the hooks where every growth passes. */
export interface MemFs {
  expandFileStorage(node: FsNode, capacity: number): void;
  resizeFileStorage(node: FsNode, size: number): void;
  createNode(parent: FsNode | null, name: string, mode: number, dev: number): FsNode;
  stream_ops: { write(...args: unknown[]): number };
  ops_table: { file: { stream: { write: unknown } } } | null;
}

/** emscripten's FS object. */
export interface EmscriptenFs {
  root: FsNode;
  streams: (FsStream | null | undefined)[];
  currentPath: string;
  nextInode: number;
  /** Nodes by folder and name. */
  nameTable: (FsNode | undefined)[];
  hashAddNode(node: FsNode): void;
  filesystems: { MEMFS: MemFs; NODEFS: object };
  mount(type: object, options: object, path: string): FsNode;
  ErrnoError: new (errno: number) => Error & { errno: number };
  FSNode: new (parent: FsNode | null, name: string, mode: number, rdev: number) => FsNode;
  MAX_OPEN_FDS: number;
  makedev(major: number, minor: number): number;
  registerDevice(dev: number, ops: object): void;
  getDevice(dev: number): { stream_ops: object } | undefined;
  mkdev(path: string, mode: number, dev?: number): FsNode;
  mkdir(path: string, mode?: number): FsNode;
  mkdirTree(path: string): void;
  rmdir(path: string): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  symlink(target: string, path: string): FsNode;
  readlink(path: string): string;
  chmod(path: string, mode: number): void;
  utime(path: string, atime: number, mtime: number): void;
  stat(path: string, dontFollow?: boolean): FsStat;
  lookupPath(path: string, options?: { follow?: boolean; parent?: boolean }): { path: string; node: FsNode };
  readdir(path: string): string[];
  readFile(path: string): Uint8Array;
  writeFile(path: string, data: Uint8Array | string): void;
  open(path: string, flags: string | number, mode?: number): FsStream;
  write(stream: FsStream, buffer: Uint8Array, offset: number, length: number): number;
  close(stream: FsStream): void;
  createNode(parent: FsNode, name: string, mode: number, rdev: number): FsNode;
  createStream(stream: object, fd?: number): FsStream;
  closeStream(fd: number): void;
  destroyNode(node: FsNode): void;
  isDir(mode: number): boolean;
  isFile(mode: number): boolean;
  isLink(mode: number): boolean;
  isChrdev(mode: number): boolean;
  isFIFO(mode: number): boolean;
}

/** The result of `FS.stat`. */
export interface FsStat {
  readonly mode: number;
  readonly size: number;
  readonly mtime: Date;
  readonly atime: Date;
  readonly ino: number;
}

/** The emscripten module: C functions and views of the memory, which are replaced when it grows. */
export interface PyodideModule {
  readonly HEAPU8: Uint8Array;
  readonly HEAP8: Int8Array;
  readonly HEAPU32: Uint32Array;
  readonly GOT: Readonly<Record<string, { readonly value: number }>>;
  readonly wasmTableMirror: unknown[];
  /** Pipes. Their stream operations are where {@link FsStream.stream_ops} of each end points. */
  readonly PIPEFS: { readonly stream_ops: object };
  readonly _Py_EMSCRIPTEN_SIGNAL_HANDLING: number;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  _PyUnicode_New(length: number, maxChar: number): number;
  _PyUnicode_DecodeUTF8(pointer: number, bytes: number, errors: number): number;
  _PyUnicode_GetLength(object: number): number;
  _PyUnicode_CopyCharacters(to: number, toStart: number, from: number, fromStart: number, count: number): number;
  _PyDict_SetItemString(dict: number, key: number, value: number): number;
  _PyDict_DelItemString(dict: number, key: number): number;
  _PyImport_AddModule(name: number): number;
  _PyModule_GetDict(module: number): number;
  _PyObject_GetAttrString(object: number, name: number): number;
  _PyObject_CallNoArgs(callable: number): number;
  _PyErr_Clear(): void;
  _PyErr_Occurred?(): number;
  _PyErr_Print?(): void;
  _Py_IncRef(object: number): void;
  _Py_DecRef(object: number): void;
}

/** The result of `loadPyodide`. */
export interface Pyodide {
  readonly FS: EmscriptenFs;
  readonly version: string;
  readonly _module: PyodideModule;
  runPython(code: string): unknown;
  makeMemorySnapshot(): Uint8Array;
}

/** A file's bytes with their capacity; undefined for a node that is not a file. */
export function fileBytes(node: FsNode): Uint8Array | undefined {
  const { contents } = node;
  if (!ArrayBuffer.isView(contents)) return undefined;
  return new Uint8Array(contents.buffer, contents.byteOffset, contents.byteLength);
}
