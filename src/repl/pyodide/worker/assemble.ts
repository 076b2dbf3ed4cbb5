/**
 * Takes a booted interpreter and puts everything around it: devices, quotas, snapshots. Then locks the gate.
 *
 * @module
 */
import { type Booted, emptyTable, removeTerminals } from './boot.ts';
import { type PythonFunction, pythonFunction, pythonObject } from './capi.ts';
import { type ContextFiles, makeContextFiles } from './context-files.ts';
import { type HostDevice, makeHostDevice } from './device.ts';
import type { EmscriptenFs } from './emscripten.ts';
import type { End } from './end.ts';
import { openFiles } from './files.ts';
import { harden } from './harden.ts';
import { type Images, makeImages } from './images.ts';
import type { Interrupt } from './interrupt.ts';
import { openPages, type Pages } from './pages.ts';
import { type BootHeader, GUEST_DEVICES, type OpenWall } from './protocol.ts';
import { installQuota, type Quota } from './quota.ts';
import { openSlots, type Slots } from './slots.ts';
import { makeStdio, type Stdio } from './stdio.ts';
import { makeTextLoader, type TextLoader } from './texts.ts';
import type { Wire } from './wire.ts';

/** The options of `assemble`. */
export interface AssembleRequest {
  readonly booted: Booted;
  readonly header: BootHeader;
  readonly wire: Wire;
  readonly interrupt: Interrupt;
  readonly end: End;
  readonly now: () => number;
  /** State the imports share with the rest (serve.ts). */
  readonly shared: SharedState;
}

/** State that replaced imports and the rest of the worker share. */
export interface SharedState {
  memoryBytes: number;
  umask: number;
  /** The command that runs; 0: none. */
  command: number;
  /** emscripten's own way to grow memory, which refreshes its views. */
  growHeap: (bytes: number) => unknown;
}

/** The parts of a running worker. */
export interface Worker {
  readonly fs: EmscriptenFs;
  readonly device: HostDevice;
  readonly stdio: Stdio;
  readonly quota: Quota;
  readonly slots: Slots;
  readonly pages: Pages;
  readonly images: Images;
  readonly texts: TextLoader;
  readonly contexts: ContextFiles;
  /** Serves the command frame that was delivered. */
  readonly step: PythonFunction;
  /** Facts for the host: what was dropped and what could not be removed. */
  readonly report: { readonly tableDropped: number; readonly globalsLeft: readonly string[] };
  /** Test switch `heap-first`: runs Python before locking. */
  readonly lockLate: (() => void) | undefined;
}

/** Assembles and locks. */
export function assemble(request: AssembleRequest): Worker {
  const { booted, shared } = request;
  const { pyodide, gate } = booted;
  const python = pyodide._module;
  const fs = pyodide.FS;
  const open: ReadonlySet<OpenWall> = new Set(request.header.open);

  const pipeOps = python.PIPEFS.stream_ops;
  if (!open.has('tty')) removeTerminals(fs);
  const { device, stdio } = makeDevices(request, open);
  const slots = openSlots();
  const files = openFiles({ fs, slots, umask: () => shared.umask });
  const quota = open.has('quota') ? openQuota() : installQuota(fs, files.beforeChange);
  // Not by `runPython`: what that loads is a tenth of a start.
  const begin = pythonFunction(python, 'fathom_pyodide', 'begin');
  if (open.has('finders')) pyodide.runPython('import fathom_pyodide; fathom_pyodide.begin(hide=False)');
  else if (!begin()) throw new Error('the guest could not start');
  const step = pythonFunction(python, 'fathom_pyodide', 'step');
  const texts = makeTextLoader(python, pythonObject(python, 'fathom_pyodide', 'loaded'));
  const contexts = makeContextFiles(fs, `${fs.currentPath}/context`);
  python.HEAP8[python._Py_EMSCRIPTEN_SIGNAL_HANDLING] = 1;
  const heap = (): Uint8Array => python.HEAPU8;
  const pages = openPages({ heap, grow: (bytes) => shared.growHeap(bytes), base: booted.base, slots });
  const setUmask = (mask: number): void => {
    shared.umask = mask;
  };
  const images = makeImages({ fs, pages, files, slots, wire: request.wire, pipeOps, setUmask });

  if (open.has('host-folder')) mountHostFolder(fs, request.header.hostFolder ?? '');
  const tableDropped = open.has('table') ? 0 : emptyTable(pyodide, gate, open.has('mirror'));
  const lockLate = (): void => {
    begin();
    gate.lock();
  };
  if (!open.has('heap-first')) gate.lock();
  const globalsLeft = open.has('harden') ? [] : harden();
  return {
    fs,
    device,
    stdio,
    quota,
    slots,
    pages,
    images,
    texts,
    contexts,
    step,
    report: { tableDropped, globalsLeft },
    lockLate: open.has('heap-first') ? lockLate : undefined,
  };
}

function makeDevices(
  { booted, wire, interrupt, end, now, shared }: AssembleRequest,
  open: ReadonlySet<OpenWall>,
): Pick<Worker, 'device' | 'stdio'> {
  const fs = booted.pyodide.FS;
  const device = makeHostDevice({
    fs,
    wire,
    uncapped: open.has('frame-cap'),
    unchecked: open.has('device'),
    interrupted: interrupt.pending,
    onEnd: end.quietly,
    onViolation: (what) => end.because(`channel violation: ${what}`),
  });
  const stdio = makeStdio({ fs, wire, now, command: () => shared.command, interrupted: interrupt.pending });
  // The guest in the base snapshot holds these descriptors open already.
  for (const { path, fd } of GUEST_DEVICES) {
    if (fs.open(path, 2).fd !== fd) throw new Error('a device of the guest is open under another descriptor');
  }
  return { device, stdio };
}

/** Test switch: what Pyodide offers as `mountNodeFS`. */
function mountHostFolder(fs: EmscriptenFs, folder: string): void {
  fs.mkdirTree(folder);
  fs.mount(fs.filesystems.NODEFS, { root: folder }, folder);
}

function openQuota(): Quota {
  return { limit: 0, recount() {} };
}
