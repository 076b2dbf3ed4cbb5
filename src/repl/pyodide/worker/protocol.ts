/**
 * The protocol between host and worker besides the guest's frames: descriptors, runtime frame types, the layout of the
 * store file's first page. Imported by both ends.
 *
 * @module
 */

/** Descriptors the worker inherits. 0 is closed to it, 1 and 2 are drained by the host and never shown to anyone. */
export const FD = {
  /** Frames, both ways. */
  frames: 3,
  /** Raw bytes of contexts, host to worker. */
  data: 4,
  /** Words the host writes and the worker reads without waiting. */
  control: 5,
  /** The base snapshot; in a baking worker a place to write it to. */
  base: 6,
  /** Pages and files of snapshots; owned by the host, without a name in any folder. */
  store: 7,
  /** Bytes of context files; the host writes them, the worker can only read. 8 is bwrap's (`SECCOMP_FD`). */
  files: 9,
} as const;

/** The words at {@link FD.control}, 32 bits each: how often guest code was interrupted, how many frames were sent. */
export const CONTROL_WORDS = ['interrupts', 'frames'] as const;
export type ControlWord = (typeof CONTROL_WORDS)[number];

/** Milliseconds in which the other end is quick: to sleep and be woken takes some 0.05 ms on each side. */
export const QUICK_MS = 0.3;
/**
 * So many quick frames in a row say that the next will be, and either end then looks for it before it sleeps: on a busy
 * machine they come one by one.
 */
export const QUICK_ROW = 8;

/** Frame types of the channel that the worker looks at (docs/channel.md). */
export const GUEST_FRAME = { command: 1, result: 2, request: 3, reply: 4, output: 5, blob: 6 } as const;

/** Runtime frames: between the host and the worker's own code, never from or to Python. */
export const RUNTIME = {
  /** Host: how to start. First frame. */
  boot: 64,
  /** Worker: booted and locked. */
  ready: 65,
  /** Host: limits of the REPL that takes this worker. */
  configure: 66,
  /** Host: a text follows on the data pipe. */
  load: 68,
  /** Host: take a snapshot under a name. */
  save: 69,
  /** Host: go back to a snapshot this worker knows. */
  restore: 70,
  /** Host: here is a snapshot another worker took. */
  adopt: 71,
  /** Host: forget a snapshot. */
  drop: 72,
  /** Host: show files of a context; the body is a JSON list of {@link ShownFile}. */
  show: 75,
  /** Host: run a bash command. */
  bash: 73,
  /** Host: look at the control word; wakes a worker that waits for a reply. */
  wake: 74,
  /** Worker: answer to a runtime frame, with its id. */
  done: 80,
  /** Worker: a snapshot was taken; its tables follow. */
  saved: 81,
  /** Worker: the guest touched what is shut; the worker ends now. */
  denied: 82,
} as const;

/** A device of the guest's. */
export interface GuestDevice {
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  /** The guest's descriptor for it. */
  readonly fd: number;
}

/** Devices the guest holds open, under the descriptors it has them in the base snapshot. */
export const GUEST_DEVICES: readonly [GuestDevice, GuestDevice] = [
  { path: '/dev/host', major: 77, minor: 1, fd: 3 },
  { path: '/dev/sleep', major: 77, minor: 2, fd: 4 },
];

/** Bytes before a frame's header: length, type, id, header length. */
export const FRAME_PREFIX = 13;
/** The largest frame a guest may send (docs/channel.md), prefix included. */
export const MAX_GUEST_FRAME: number = 16 * 1024 * 1024;

/** Bytes of one page of the linear memory in snapshots. 4 KiB pages compare slower, 64 KiB ones store more. */
export const PAGE = 16_384;

/** Walls that tests open to show that an attack would work without them. Never set outside of test/isolation. */
export type OpenWall =
  /** All imports. */
  | 'gate'
  /** The function table and emscripten's mirror of it. */
  | 'table'
  /** The mirror alone. */
  | 'mirror'
  | 'quota'
  | 'memory-cap'
  /** The cap on frames in the device. */
  | 'frame-cap'
  /** The check of what frames are. */
  | 'device'
  | 'tty'
  /** Python's own doors: module finders, names of the machine. */
  | 'finders'
  | 'harden'
  /** A denied import throws, and the process lives on. */
  | 'denied-death'
  | 'suspending'
  /** Python of a user's heap runs before the gate is locked. */
  | 'heap-first'
  /** A folder of the host is mounted where it is on the host. */
  | 'host-folder';

/** Header of a `boot` frame. */
export interface BootHeader {
  readonly mode: 'serve' | 'bake';
  /** Folder of the `pyodide` package, with a slash at the end. */
  readonly pyodideDir: string;
  /** URL of just-bash's bundle without Node parts. */
  readonly bashUrl: string;
  /** Bytes of the base snapshot at {@link FD.base}; 0 when baking. */
  readonly baseBytes: number;
  /** Baking: files of the guest package, texts in the body. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly open: readonly OpenWall[];
  /** With `host-folder`: which. */
  readonly hostFolder?: string;
}

/** Header of a `configure` frame. */
export interface ConfigureHeader {
  readonly memoryBytes: number;
  readonly diskBytes: number;
  /** Bytes all snapshots of the REPL may take in the store. */
  readonly storeBytes: number;
}

/** Header of a `bash` frame; the command is the body. */
export interface BashHeader {
  readonly timeoutMs: number;
  readonly outputBytes: number;
}

/** Header of the answer to a `bash` frame. */
export interface BashAnswer {
  readonly exitCode: number;
  readonly timedOut: boolean;
  /** Of stdout and stderr: bytes of head and tail in the body, and characters left out between them. */
  readonly streams: readonly (readonly [head: number, tail: number, dropped: number])[];
}

/** Header of a `load` frame. */
export interface LoadHeader {
  /** Under which the guest finds the text. */
  readonly token: string;
  /** Code points. */
  readonly length: number;
  /** Bytes per code point: 1, 2 or 4. */
  readonly unit: 1 | 2 | 4;
  /** Largest code point class, as CPython wants it: 127, 255, 65535 or 1114111. */
  readonly maxChar: number;
  /** The text stays for the life of the REPL; false for one that is parsed and dropped. */
  readonly keep: boolean;
  /**
   * The form of the pieces: code points as CPython keeps them, or UTF-8 for CPython to decode, whole characters each.
   */
  readonly form: 'units' | 'utf-8';
  /** CPython's error handler for UTF-8: escaped bytes of files, or surrogates of JavaScript strings. */
  readonly errors: 'replace' | 'surrogatepass';
}

/** Texts come on the data pipe in pieces: u32 LE length, then bytes. A piece of length 0 ends the text. */
export const PIECE_PREFIX = 4;
/** Length of a piece that says: forget this text. */
export const PIECE_ABORT = 0xffff_ffff;
/** The longest piece of units. */
export const PIECE_BYTES: number = 4 * 1024 * 1024;
/** The longest piece of UTF-8: decoded, it lies in memory for a moment, and what it leaves there is in snapshots. */
export const UTF8_PIECE_BYTES: number = 128 * 1024;

/** A file that cells can open: its path below `context/`, where its bytes begin at {@link FD.files}, and how many. */
export type ShownFile = readonly [at: string, offset: number, bytes: number];

/** Header of a `restore` frame. */
export interface RestoreHeader {
  readonly name: string;
  /** The texts of the snapshot's ranges follow on the data pipe, in this order. */
  readonly reload: readonly number[];
}

/** A range of memory that holds a text the host can send again; not stored in snapshots. */
export interface TextRange {
  readonly token: string;
  readonly address: number;
  readonly bytes: number;
}

/** Header of `saved` and `adopt` frames; the page table is the body. */
export interface ImageHeader {
  readonly name: string;
  /** Bytes of the linear memory. */
  readonly heapBytes: number;
  /** Where the manifest of its files lies in the store. */
  readonly manifest: { readonly slots: readonly number[]; readonly bytes: number };
  /** Slots of files and manifest, as runs `[start, count, …]`. */
  readonly fileSlots: readonly number[];
  /** All text ranges of the REPL so far. */
  readonly ranges: readonly TextRange[];
  /** Indexes of the ranges this snapshot needs. */
  readonly uses: readonly number[];
  /** First slot of the store never used so far. */
  readonly nextSlot: number;
}

/** The name of the automatic snapshot; no snapshot a model names can be called so. */
export const AUTOMATIC = '\u0000auto';
