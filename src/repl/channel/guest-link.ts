import { type Clock, steadyClock, systemClock } from '../../clock.ts';
import type { RlmError } from '../../errors.ts';
import type { ReplHost, ReplLimits } from '../port.ts';
import { createBlobStore } from './blob-store.ts';
import { createFrameDecoder, encodeFrame, type Frame, FrameType, WITH_RUNTIME } from './frame.ts';
import { type GuestCommand, GuestLost, type GuestResult, guestEnded } from './guest-command.ts';
import { ChannelViolation } from './limits.ts';
import { type PartReader, readParts } from './parts.ts';
import { createRequestDesk } from './request-desk.ts';
import { type RunningCommand, recordOf, reportOutput, startCommand } from './running-command.ts';
import { type Fields, readChoice, readFlag, readObject, readOptionalInteger } from './shape.ts';

/** Milliseconds between a soft interrupt and the kill of a guest that did not stop. */
const INTERRUPT_GRACE_MS = 1_000;
const MAX_COUNT = Number.MAX_SAFE_INTEGER;
/** Ids are 32 bits. */
const LAST_ID = 0xffff_ffff;

/** The parts of a link that the backend provides: the way to one guest and the two ways to stop it. */
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

/** A link over a transport that a backend has opened. */
export function createGuestLink(options: GuestLinkOptions): GuestLink {
  const { limits, write, unread, interrupt, kill, onRuntimeFrame } = options;
  const clock = options.clock ?? steadyClock(systemClock);
  const decoder = createFrameDecoder(onRuntimeFrame === undefined ? {} : WITH_RUNTIME);
  const blobs = createBlobStore(limits.diskBytes);
  const desk = createRequestDesk({ host: options.host, limits, clock, write, unread, violated });
  let running: RunningCommand | undefined;
  /** Of the last command; the parts its result names are kept until the next one. */
  let lastParts: PartReader | undefined;
  let failure: RlmError | undefined;
  let lastCommand = 0;
  let lastId = 0;

  function finish(current: RunningCommand): void {
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
      current.reject(new GuestLost(error, recordOf(current, clock.now())));
    }
    lastParts?.abandon();
    blobs.clear();
  }

  function stop(current: RunningCommand, why: 'deadline' | 'cancelled'): void {
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
    // Of a command that has ended, or of none: no caller waits for it.
    if (running === undefined || frame.id !== running.id) return;
    running.capture.push(stream, frame.body, dropped);
    reportOutput(running, stream, frame.body);
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
    current.resolve({ ...recordOf(current, clock.now()), fields, parts });
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

  function start(command: GuestCommand, resolve: RunningCommand['resolve'], reject: RunningCommand['reject']): void {
    lastCommand += 1;
    const current = startCommand(command, { id: lastCommand, resolve, reject, limits, clock, stop });
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
      reportOutput(running, stream, bytes);
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
