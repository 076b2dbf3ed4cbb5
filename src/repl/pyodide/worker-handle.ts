/**
 * The host's handle to one worker process: its frames, its descriptors, its end.
 *
 * @module
 */
import type { Writable } from 'node:stream';
import { RlmError } from '../../errors.ts';
import { createFrameDecoder, encodeFrame, type Frame, WITH_RUNTIME } from '../channel/frame.ts';
import { killGroup, killTree } from './kill-tree.ts';
import { type OwnedFile, openControl, openReadable, openUnnamed } from './owned-file.ts';
import { type Level, type SpawnRequest, spawnWorker } from './spawn.ts';
import { type BootHeader, FD, RUNTIME } from './worker/protocol.ts';

/** A worker's report about itself once it has locked its gate. */
export interface ReadyReport {
  /** JavaScript functions dropped from the function table. */
  readonly tableDropped: number;
  /** Globals that could not be removed. */
  readonly globalsLeft: readonly string[];
  /** Baking: bytes of the snapshot. */
  readonly bytes?: number;
}

/** One worker. */
export interface WorkerHandle {
  readonly level: Level;
  /** Milliseconds of `performance.now()` when it was started. */
  readonly startedAt: number;
  readonly pid: number | undefined;
  /** Rejects with `repl-failure` when it ends before. */
  readonly ready: Promise<ReadyReport>;
  /** Pages and files of snapshots. */
  readonly store: OwnedFile;
  /** Bytes of the context files that cells can open; the worker can only read it. */
  readonly files: OwnedFile;
  /** Closes both, once nothing of them is needed. */
  release(): void;
  /** Where contexts go. */
  readonly data: Writable;
  /** The first frame. */
  boot(header: BootHeader, body?: readonly Buffer[]): void;
  /** Sends a runtime frame and waits for its answer. @throws RlmError `repl-failure` when the worker ends first */
  ask(type: number, header: object, parts?: readonly Buffer[]): Promise<Frame>;
  write(bytes: Buffer): void;
  /** Bytes written that it has not read. */
  unread(): number;
  /** From now on chunks go to `receive`, which hands frames of the runtime back to {@link runtimeFrame}. */
  attach(receive: (chunk: Buffer) => void): void;
  runtimeFrame(frame: Frame): void;
  /** Called for frames that no `ask` waits for. */
  onSaved: ((frame: Frame) => void) | undefined;
  /** Asks guest code to stop. */
  interrupt(): void;
  kill(reason: string): void;
  /** Resolves with why it ended. */
  readonly ended: Promise<string>;
  /** Another process killed it. */
  readonly killed: boolean;
  /** Keeps the host process alive while `work` runs; idle workers never do. */
  busy<T>(work: () => Promise<T>): Promise<T>;
}

/** Starts a worker. `request.descriptors` gets control and store added; a base snapshot may be among them. */
export function startWorker(request: SpawnRequest): WorkerHandle {
  const startedAt = performance.now();
  const control = openControl();
  const store = openUnnamed();
  const files = openReadable();
  const spawned = spawnWorker({
    ...request,
    descriptors: {
      ...request.descriptors,
      ...{ [FD.control]: control.reader.fd, [FD.store]: store.fd, [FD.files]: files.reader.fd },
    },
  });
  control.reader.close();
  files.reader.close();
  const asked = new Map<number, { resolve: (frame: Frame) => void; reject: (error: Error) => void }>();
  const end = watchEnd(spawned.process);
  const refs = references(spawned);
  const readiness = Promise.withResolvers<ReadyReport>();
  readiness.promise.catch(() => {});
  let lastAsk = 0;
  let receive = ownDecoder(
    (frame) => self.runtimeFrame(frame),
    () => self.kill('it sent a frame out of turn'),
  );
  spawned.frames.on('data', (chunk: Buffer) => receive(chunk));
  void end.ended.then((reason) => {
    control.close();
    const error = lost(reason);
    // Only the host's user may see what a worker printed, never a model, so the error contains it only while booting.
    const tail = spawned.stderrTail().trim().split('\n').slice(-3).join(' | ');
    readiness.reject(tail === '' ? error : lost(`${reason} (${tail})`));
    for (const { reject } of asked.values()) reject(error);
    asked.clear();
  });
  const self: WorkerHandle = {
    level: request.level,
    startedAt,
    pid: spawned.process.pid,
    ready: readiness.promise,
    store,
    files: files.writer,
    release() {
      store.close();
      files.writer.close();
    },
    data: spawned.data,
    onSaved: undefined,
    boot: (header, body = []) => self.write(encodeFrame(RUNTIME.boot, 0, JSON.stringify(header), body)),
    ask: (type, header, parts = []) =>
      self.busy(
        () =>
          new Promise<Frame>((resolve, reject) => {
            if (end.reason !== undefined) return reject(lost(end.reason));
            lastAsk += 1;
            asked.set(lastAsk, { resolve, reject });
            self.write(encodeFrame(type, lastAsk, JSON.stringify(header), parts));
          }),
      ),
    write(bytes) {
      spawned.frames.write(bytes);
      if (end.reason === undefined) control.raise('frames');
    },
    unread: () => spawned.frames.writableLength,
    attach(target) {
      receive = target;
    },
    runtimeFrame(frame) {
      if (frame.type === RUNTIME.ready) readiness.resolve(frame.header as ReadyReport);
      else if (frame.type === RUNTIME.saved) self.onSaved?.(frame);
      else if (frame.type === RUNTIME.denied) end.because(reasonIn(frame.header));
      else if (frame.type === RUNTIME.done) {
        asked.get(frame.id)?.resolve(frame);
        asked.delete(frame.id);
      }
    },
    interrupt() {
      if (end.reason !== undefined) return;
      control.raise('interrupts');
      // For a worker that waits for a reply and looks at no word.
      self.write(encodeFrame(RUNTIME.wake, 0, '{}'));
    },
    kill(reason) {
      end.because(reason);
      killTree(spawned.process);
    },
    ended: end.ended,
    get killed() {
      return end.killed;
    },
    busy: refs.busy,
  };
  return self;
}

function lost(reason: string): RlmError {
  return new RlmError({
    code: 'repl-failure',
    message: `The REPL's process ended: ${reason}.`,
    data: { reason: reason.slice(0, 500) },
  });
}

function reasonIn(header: unknown): string {
  const reason = typeof header === 'object' && header !== null ? (header as { reason?: unknown }).reason : undefined;
  return typeof reason === 'string' ? reason.slice(0, 200) : 'it ended itself';
}

/** Frames of a worker that serves no REPL yet: only the runtime's own. */
function ownDecoder(onFrame: (frame: Frame) => void, onWrong: () => void): (chunk: Buffer) => void {
  const decoder = createFrameDecoder(WITH_RUNTIME);
  return (chunk) => {
    try {
      decoder.push(chunk, (frame) => (frame.type >= RUNTIME.boot ? onFrame(frame) : onWrong()));
    } catch {
      onWrong();
    }
  };
}

interface EndWatch {
  readonly ended: Promise<string>;
  /** Why it ended, once it has. */
  readonly reason: string | undefined;
  readonly killed: boolean;
  /** Says why it is about to end. The first reason counts. */
  because(reason: string): void;
}

/** How bubblewrap ends when what it runs was ended by SIGKILL. */
const KILLED_INSIDE = 137;
/** Milliseconds for what a worker that has ended left in its pipes. */
const LAST_WORDS_MS = 1_000;

function watchEnd(process: ReturnType<typeof spawnWorker>['process']): EndWatch {
  const { promise, resolve } = Promise.withResolvers<string>();
  let given: string | undefined;
  let reason: string | undefined;
  let killed = false;
  const finish = (fallback: string): void => {
    if (reason !== undefined) return;
    reason = given ?? fallback;
    resolve(reason);
  };
  process.once('error', (error) => finish(`it could not be started: ${error.message}`));
  const end = (code: number | null, signal: NodeJS.Signals | null): void => {
    if (reason === undefined) killed = given === undefined && (signal === 'SIGKILL' || code === KILLED_INSIDE);
    finish(signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`);
  };
  process.once('close', end);
  // Its pipes close with the last process that holds them, which may not be the one that has ended.
  process.once('exit', (code, signal) => {
    killGroup(process);
    setTimeout(end, LAST_WORDS_MS, code, signal).unref();
  });
  return {
    ended: promise,
    get reason() {
      return reason;
    },
    get killed() {
      return killed;
    },
    because(why) {
      given ??= why;
    },
  };
}

interface Referenced {
  ref(): unknown;
  unref(): unknown;
}

/** Counts what is under way: only then does the worker keep the host's event loop alive. */
function references({ process, frames, data }: ReturnType<typeof spawnWorker>): Pick<WorkerHandle, 'busy'> {
  const handles = [process, frames, data, process.stdout, process.stderr].filter(
    (handle) => handle !== null && 'unref' in handle,
  ) as unknown as Referenced[];
  for (const handle of handles) handle.unref();
  let count = 0;
  return {
    async busy(work) {
      count += 1;
      if (count === 1) for (const handle of handles) handle.ref();
      try {
        return await work();
      } finally {
        count -= 1;
        if (count === 0) for (const handle of handles) handle.unref();
      }
    },
  };
}
