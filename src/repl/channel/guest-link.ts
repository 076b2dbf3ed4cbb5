import { type Clock, systemClock } from '../../clock.ts';
import type { RlmError } from '../../errors.ts';
import type { ReplHost, ReplLimits } from '../port.ts';
import { createBlobStore } from './blob-store.ts';
import { type CellClock, startCellClock } from './cell-clock.ts';
import { createFrameDecoder, encodeFrame, type Frame, FrameType, WITH_RUNTIME } from './frame.ts';
import {
  type CommandRecord,
  type GuestCommand,
  GuestLost,
  type GuestResult,
  guestEnded,
  type Stopped,
} from './guest-command.ts';
import { ChannelViolation } from './limits.ts';
import { captureOutput, type OutputCapture } from './output-capture.ts';
import { type PartReader, readParts } from './parts.ts';
import { createRequestDesk } from './request-desk.ts';
import { type Fields, readChoice, readFlag, readObject, readOptionalInteger } from './shape.ts';

/** Milliseconds between a soft interrupt and the kill of a guest that did not stop. */
const INTERRUPT_GRACE_MS = 1_000;
const MAX_COUNT = Number.MAX_SAFE_INTEGER;
/** Ids are 32 bits. */
const LAST_ID = 0xffff_ffff;

/** What a backend gives a link: the way to one guest and the two ways to stop it. */
export interface GuestLinkOptions {
  readonly limits: ReplLimits;
  readonly host: ReplHost;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Writes bytes to the guest; they are buffered where they must wait. */
  readonly write: (bytes: Buffer) => void;
  /** Bytes written that the guest has not read. */
  readonly unread: () => number;
  /** Asks the cell to stop (SIGINT or its like). */
  readonly interrupt: () => void;
  /** Ends the guest at once. The backend then calls {@link GuestLink.ended}. */
  readonly kill: (reason: string) => void;
  /** Called when the guest begins to wait for replies, and when it has all of them. */
  readonly onWaiting?: (waiting: boolean) => void;
  /** Frames of the backend's own process (type 64 and up). Without it they are violations. */
  readonly onRuntimeFrame?: (frame: Frame) => void;
}

/** The host's end of the channel to one guest. */
export interface GuestLink {
  /** Takes bytes that came from the guest. */
  receive(chunk: Buffer): void;
  /** Takes output that came another way (the pipes of a native process). Dropped while no command runs. */
  pushOutput(stream: 'stdout' | 'stderr', bytes: Buffer): void;
  /** The guest is gone. Idempotent; the first reason counts. */
  ended(reason: string | RlmError): void;
  /**
   * Runs one command; callers wait for one before they send the next.
   *
   * @throws GuestLost when the guest is gone or broke the rules
   */
  command(command: GuestCommand): Promise<GuestResult>;
  /** Why the link is of no use any more. */
  readonly failure: RlmError | undefined;
}

/**
 * Passes output to its watcher, at most `outputBytes` of it per command. A watcher that throws is not called again; the
 * guest is not to blame.
 */
function report(current: Running, stream: 'stdout' | 'stderr', bytes: Buffer): void {
  const piece = bytes.subarray(0, current.watchedBytes);
  current.watchedBytes -= piece.length;
  if (piece.length === 0) return;
  try {
    current.onOutput?.(stream, piece.toString('utf8'));
  } catch {
    current.onOutput = undefined;
  }
}

interface Running {
  readonly id: number;
  readonly capture: OutputCapture;
  readonly clock: CellClock;
  readonly startedAt: number;
  onOutput: GuestCommand['onOutput'];
  /** Bytes of output that its watcher may still get. */
  watchedBytes: number;
  readonly resolve: (result: GuestResult) => void;
  readonly reject: (error: GuestLost) => void;
  readonly release: () => void;
  stopped: Stopped;
  cancelKill: (() => void) | undefined;
}

/** A link over a transport that a backend has opened. */
export function createGuestLink(options: GuestLinkOptions): GuestLink {
  const { limits, write, unread, interrupt, kill, onRuntimeFrame } = options;
  const clock = options.clock ?? systemClock;
  const decoder = createFrameDecoder(onRuntimeFrame === undefined ? {} : WITH_RUNTIME);
  const blobs = createBlobStore(limits.diskBytes);
  const desk = createRequestDesk({ host: options.host, limits, clock, write, unread, violated });
  let running: Running | undefined;
  /** Of the last command; what its result names is kept until the next one. */
  let lastParts: PartReader | undefined;
  let failure: RlmError | undefined;
  let lastCommand = 0;
  let lastId = 0;

  function recordOf(current: Running): CommandRecord {
    const durationMs = clock.now() - current.startedAt;
    return { ...current.capture.finish(), durationMs, stopped: current.stopped };
  }

  function finish(current: Running): void {
    running = undefined;
    current.clock.stop();
    current.cancelKill?.();
    current.release();
    desk.close();
  }

  function fail(error: RlmError): void {
    if (failure !== undefined) return;
    failure = error;
    const current = running;
    if (current === undefined) desk.close();
    else {
      finish(current);
      current.reject(new GuestLost(error, recordOf(current)));
    }
    lastParts?.abandon();
    blobs.clear();
  }

  function stop(current: Running, why: 'deadline' | 'cancelled'): void {
    if (running !== current || current.stopped !== undefined) return;
    current.stopped = why;
    desk.cancel(why === 'deadline' ? 'The cell has used up its time.' : 'The run was stopped.');
    interrupt();
    current.cancelKill = clock.schedule(INTERRUPT_GRACE_MS, () => {
      if (running === current) kill('the cell did not stop when it was interrupted');
    });
  }

  function takeId(id: number, count: number): void {
    if (id <= lastId) throw new ChannelViolation(`the request id ${id} was used before`);
    lastId = id + count - 1;
    // Guests that are honest do not get there; one that takes the last id could ask for nothing ever after.
    if (lastId >= LAST_ID) throw new ChannelViolation('the request ids are used up');
  }

  function onFrame(frame: Frame): void {
    if (failure !== undefined) return;
    if (frame.type >= FrameType.runtime) {
      if (onRuntimeFrame === undefined) throw new ChannelViolation(`a frame has the unknown type ${frame.type}`);
      onRuntimeFrame(frame);
      return;
    }
    const fields = readObject(frame.header, 'a header');
    switch (frame.type) {
      case FrameType.request: {
        onRequest(frame, fields);
        return;
      }
      case FrameType.output:
        onOutput(frame, fields);
        return;
      case FrameType.blob:
        if (!blobs.has(frame.id)) takeId(frame.id, 1);
        // Between commands no value is waited for, and none may be kept.
        if (running !== undefined) blobs.add(frame.id, frame.body, readFlag(fields, 'more'));
        return;
      case FrameType.result:
        onResult(frame, fields);
        return;
      default:
        throw new ChannelViolation(`a frame has the unknown type ${frame.type}`);
    }
  }

  function onRequest(frame: Frame, fields: Fields): void {
    takeId(frame.id, 1);
    const parts = readParts(frame, fields, blobs);
    try {
      takeId(lastId + 1, desk.handle(frame, fields, parts) - 1);
    } catch (error) {
      parts.abandon();
      throw error;
    }
  }

  function onOutput(frame: Frame, fields: Fields): void {
    const stream = readChoice(fields, 'stream', ['stdout', 'stderr']);
    const dropped = readOptionalInteger(fields, 'dropped', 0, MAX_COUNT) ?? 0;
    // Of a command that has ended, or of none: nobody waits for it.
    if (running === undefined || frame.id !== running.id) return;
    running.capture.push(stream, frame.body, dropped);
    report(running, stream, frame.body);
  }

  function onResult(frame: Frame, fields: Fields): void {
    const current = running;
    if (current === undefined || frame.id !== current.id) {
      throw new ChannelViolation(`a result came for the command ${frame.id}, which does not run`);
    }
    const parts = readParts(frame, fields, blobs);
    lastParts = parts;
    parts.claim();
    blobs.clear();
    finish(current);
    current.resolve({ ...recordOf(current), fields, parts });
  }

  /** Runs something that reads what the guest sent; a broken rule ends the guest, not the host. */
  function guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      const violation =
        error instanceof ChannelViolation ? error : new ChannelViolation(`it could not be read (${error})`);
      violated(violation);
    }
  }

  function violated(violation: ChannelViolation): void {
    if (failure !== undefined) return;
    fail(violation);
    kill(violation.reason);
  }

  function send(command: GuestCommand, id: number): void {
    const parts = command.parts ?? [];
    const sizes = parts.map((part) => part.length);
    const header = JSON.stringify({ ...command.header, op: command.op, first_id: lastId + 1, parts: sizes });
    write(encodeFrame(FrameType.command, id, header, parts));
  }

  function watchSignal(signal: AbortSignal | undefined, current: () => void): () => void {
    if (signal === undefined) return () => {};
    if (signal.aborted) {
      process.nextTick(current);
      return () => {};
    }
    signal.addEventListener('abort', current, { once: true });
    return () => signal.removeEventListener('abort', current);
  }

  function start(command: GuestCommand, resolve: Running['resolve'], reject: Running['reject']): void {
    lastCommand += 1;
    const limitMs = command.timeoutMs ?? limits.cellTimeoutMs;
    const current: Running = {
      id: lastCommand,
      capture: captureOutput(limits.outputBytes),
      clock: startCellClock(clock, limitMs, () => stop(current, 'deadline')),
      startedAt: clock.now(),
      onOutput: command.onOutput,
      watchedBytes: limits.outputBytes,
      resolve,
      reject,
      release: watchSignal(command.signal, () => stop(current, 'cancelled')),
      stopped: undefined,
      cancelKill: undefined,
    };
    running = current;
    lastParts?.abandon();
    lastParts = undefined;
    desk.open((waiting) => {
      if (waiting) current.clock.pause();
      else current.clock.resume();
      options.onWaiting?.(waiting);
    });
    send(command, current.id);
  }

  return {
    receive(chunk) {
      if (failure === undefined) guarded(() => decoder.push(chunk, onFrame));
    },
    pushOutput(stream, bytes) {
      if (running === undefined) return;
      running.capture.push(stream, bytes);
      report(running, stream, bytes);
    },
    ended(reason) {
      fail(typeof reason === 'string' ? guestEnded({ reason, killed: false }) : reason);
    },
    command(command) {
      return new Promise((resolve, reject) => {
        if (failure !== undefined) {
          const none = { text: '', dropped: 0 };
          reject(new GuestLost(failure, { stdout: none, stderr: none, durationMs: 0, stopped: undefined }));
        } else if (running !== undefined) {
          throw new Error('a command is running already');
        } else start(command, resolve, reject);
      });
    },
    get failure() {
      return failure;
    },
  };
}
