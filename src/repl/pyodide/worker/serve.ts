/**
 * Serves the host until it goes: commands to Python, everything else here.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { assemble, type SharedState, type Worker } from './assemble.ts';
import { bake } from './bake.ts';
import { runBash } from './bash.ts';
import { boot } from './boot.ts';
import { controlWord } from './control.ts';
import { type End, makeEnd, reasonOf } from './end.ts';
import type { Replacements } from './gate.ts';
import { type Interrupt, makeInterrupt } from './interrupt.ts';
import {
  AUTOMATIC,
  type BashHeader,
  type BootHeader,
  type ConfigureHeader,
  FD,
  GUEST_FRAME,
  type ImageHeader,
  type LoadHeader,
  type RestoreHeader,
  RUNTIME,
  type ShownFile,
} from './protocol.ts';
import { bodyOf, headerOf, openWire, type RawFrame, type Wire } from './wire.ts';

/** Smaller texts are stored in snapshots like everything else. */
const LEAST_RANGE = 1024 * 1024;

/** Runs the worker. Never returns. */
export async function serve(): Promise<never> {
  const now = performance.now.bind(performance);
  // On a single processor a worker that polls keeps the host from answering.
  const lookout = availableParallelism() > 1 ? { sent: controlWord('frames'), now } : undefined;
  const wire = openWire(FD.frames, lookout);
  const end = makeEnd(wire);
  const shared: SharedState = { memoryBytes: Number.POSITIVE_INFINITY, umask: 0o22, command: 0, growHeap: () => 0 };
  const interrupt = makeInterrupt({ now, hostAlive: parentWatch(), onOrphan: end.quietly });
  const first = wire.read();
  if (first === undefined) return end.quietly();
  const header = headerOf(first) as BootHeader;
  const replacements = makeReplacements(shared, interrupt, header.open.includes('memory-cap'));
  if (header.mode === 'bake') return await bake({ header, body: bodyOf(first), replacements, wire, end });

  const onDenied = header.open.includes('denied-death') ? refuseOnly : (name: string) => end.because(`shut: ${name}`);
  const booted = await boot({ header, replacements, onDenied });
  const worker = assemble({ booted, header, wire, interrupt, end, now, shared });
  wire.send(RUNTIME.ready, 0, worker.report);
  return await loop({ worker, header, wire, interrupt, end, shared, now });
}

interface Loop {
  readonly worker: Worker;
  readonly header: BootHeader;
  readonly wire: Wire;
  readonly interrupt: Interrupt;
  readonly end: End;
  readonly shared: SharedState;
  readonly now: () => number;
}

async function loop(parts: Loop): Promise<never> {
  const { wire, end, header } = parts;
  for (;;) {
    const frame = wire.read();
    if (frame === undefined) return end.quietly();
    try {
      if (frame.type === GUEST_FRAME.command) runCommand(parts, frame);
      else if (frame.type === RUNTIME.bash) await serveBash(parts, frame);
      // A late reply belongs to a cell that has ended: it is dropped.
      else if (frame.type !== GUEST_FRAME.reply) serveRuntime(parts, frame);
    } catch (error) {
      if (!header.open.includes('denied-death')) return end.because(reasonOf(error), error);
    }
  }
}

/** Commands that change what a rollback must bring back. */
const CHANGING: ReadonlySet<unknown> = new Set(['execute', 'bind', 'set', 'answer']);

function runCommand({ worker, interrupt, shared, end, wire }: Loop, frame: RawFrame): void {
  worker.device.clear();
  worker.device.deliver(frame);
  worker.stdio.reset();
  shared.command = frame.id;
  worker.pages.touch();
  interrupt.start();
  const served = worker.step();
  interrupt.stop();
  shared.command = 0;
  if (!served) end.because('the guest gave up');
  // A cell may have replaced the guest's descriptor, for example. The host would wait until the deadline, and the state
  // after such a cell is not one to go back to.
  if (!worker.device.answered(frame.id)) end.because('the guest sent no result');
  const { op } = headerOf(frame) as { op?: unknown };
  // The state of a guest that a cell has made useless (by an audit hook, for example) is not one to go back to.
  if (op === 'execute' && worker.device.failed()) return;
  if (CHANGING.has(op)) saveAutomatic(worker, wire, frame.id);
}

/**
 * The snapshot a kill goes back to. Taken after a command rather than before the next one: the host is busy with a
 * model then, and no caller waits.
 */
function saveAutomatic({ images }: Worker, wire: Wire, command: number): void {
  if (!images.save(AUTOMATIC, command)) wire.send(RUNTIME.saved, 0, { name: AUTOMATIC, full: true });
}

async function serveBash({ worker, header, wire, interrupt, now }: Loop, frame: RawFrame): Promise<void> {
  const request = headerOf(frame) as BashHeader;
  interrupt.start();
  const command = bodyOf(frame).toString();
  const result = await runBash({
    fs: worker.fs,
    url: header.bashUrl,
    request,
    command,
    interrupted: interrupt.pending,
    now,
  });
  interrupt.stop();
  wire.send(RUNTIME.done, frame.id, result.header, result.parts);
  saveAutomatic(worker, wire, 0);
}

/** Frames that need no guest code; each is answered by `done`. */
function serveRuntime(parts: Loop, frame: RawFrame): void {
  if (frame.type === RUNTIME.wake) return;
  const serveIt = RUNTIME_SERVICES.get(frame.type);
  if (serveIt === undefined) throw new Error('unknown frame');
  parts.wire.send(RUNTIME.done, frame.id, serveIt(parts, frame));
}

/** Serves one type of frame; gives the answer's header. */
type Service = (parts: Loop, frame: RawFrame) => object;

const RUNTIME_SERVICES: ReadonlyMap<number, Service> = new Map<number, Service>([
  [
    RUNTIME.configure,
    ({ worker, shared }, frame) => {
      const limits = headerOf(frame) as ConfigureHeader;
      shared.memoryBytes = limits.memoryBytes;
      worker.quota.limit = limits.diskBytes;
      worker.slots.setQuota(limits.storeBytes);
      return {};
    },
  ],
  [
    RUNTIME.load,
    ({ worker }, frame) => {
      const header = headerOf(frame) as LoadHeader;
      worker.pages.touch();
      const range = worker.texts.load(header);
      if (range !== undefined && header.keep && range.bytes >= LEAST_RANGE) worker.pages.addRange(range);
      return { loaded: range !== undefined };
    },
  ],
  [
    RUNTIME.show,
    ({ worker }, frame) => ({ error: worker.contexts.show(JSON.parse(bodyOf(frame).toString()) as ShownFile[]) }),
  ],
  [RUNTIME.save, ({ worker }, frame) => ({ saved: worker.images.save(nameIn(frame)) })],
  [
    RUNTIME.drop,
    ({ worker }, frame) => {
      worker.images.drop(nameIn(frame));
      return {};
    },
  ],
  [
    RUNTIME.adopt,
    ({ worker }, frame) => {
      worker.images.adopt(headerOf(frame) as ImageHeader, bodyOf(frame));
      return {};
    },
  ],
  [
    RUNTIME.restore,
    ({ worker }, frame) => {
      restore(worker, headerOf(frame) as RestoreHeader);
      worker.lockLate?.();
      return {};
    },
  ],
]);

function nameIn(frame: RawFrame): string {
  return (headerOf(frame) as { readonly name: string }).name;
}

function restore({ images, pages, texts, device, quota }: Worker, { name, reload }: RestoreHeader): void {
  for (const index of reload) {
    const range = pages.ranges[index];
    if (range === undefined) throw new Error('no such text');
    pages.touch();
    pages.makeRoom(range);
    texts.reload(range);
    pages.rangeLoaded(index);
  }
  images.restore(name);
  device.clear();
  quota.recount();
}

/** The imports that the worker answers itself. */
function makeReplacements(shared: SharedState, interrupt: Interrupt, uncapped: boolean): Replacements {
  return {
    emscripten_resize_heap(original) {
      shared.growHeap = (bytes) => original(bytes);
      // 0 makes malloc fail, and Python raise MemoryError. emscripten may grow up to 96 MiB beyond what is asked.
      return (bytes = 0) => (bytes >>> 0 > shared.memoryBytes && !uncapped ? 0 : Number(original(bytes)));
    },
    _Py_CheckEmscriptenSignals_Helper: () => interrupt.poll,
    // The process's own umask does not concern the guest.
    __syscall_umask_js: () => (mask) => {
      const before = shared.umask;
      shared.umask = (mask ?? 0) & 0o777;
      return before;
    },
  };
}

/** Test switch: throws as an earlier version did, and lives on in an undefined state. */
function refuseOnly(name: string): never {
  throw new WebAssembly.RuntimeError(`import ${name} is shut`);
}

/** False once the process that started this one has gone. In a process namespace it never changes: bwrap watches. */
function parentWatch(): () => boolean {
  const getter = Object.getOwnPropertyDescriptor(process, 'ppid')?.get?.bind(process) as (() => number) | undefined;
  if (getter === undefined) return () => true;
  const parent = getter();
  return () => getter() === parent;
}
