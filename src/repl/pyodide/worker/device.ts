/**
 * `/dev/host`: the guest's only way out. Writes are whole frames for the host; reads give the host's frames. The host
 * checks every frame once more.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import type { DeviceOps, EmscriptenFs } from './emscripten.ts';
import { ERRNO } from './imports.ts';
import { FRAME_PREFIX, GUEST_DEVICES, GUEST_FRAME, MAX_GUEST_FRAME, RUNTIME } from './protocol.ts';
import type { RawFrame, Wire } from './wire.ts';

/** The parts of the worker that the device needs. */
export interface DeviceOptions {
  readonly fs: EmscriptenFs;
  readonly wire: Wire;
  /** True when the guest is to be interrupted: the read then ends with EINTR, and CPython looks for signals. */
  readonly interrupted: () => boolean;
  /** The host has gone. */
  readonly onEnd: () => never;
  /** The guest sent what no guest may send. */
  readonly onViolation: (what: string) => never;
  /** Test switch: no cap on frames. */
  readonly uncapped: boolean;
  /** Test switch: no look at what a frame is. */
  readonly unchecked: boolean;
}

/** The guest's end of the wire. */
export interface HostDevice {
  /** Gives the guest a frame to read. */
  deliver(frame: RawFrame): void;
  /** Forgets what the guest has not read: a new command starts, or the heap was replaced. */
  clear(): void;
  /** The result of this command has gone to the host. */
  answered(command: number): boolean;
  /** The last result says that the guest itself failed, and not what it was asked to run. */
  failed(): boolean;
}

/** How the header of such a result begins; that of a cell, also of one that raised, begins with `ok`. */
const FAILED = '{"error":';

/** Registers `/dev/host`. */
export function makeHostDevice(options: DeviceOptions): HostDevice {
  const { fs, wire } = options;
  let inbound: Buffer[] = [];
  /** Bytes of a frame that came in several writes. */
  let outbound: Buffer | undefined;
  let failed = false;
  let answered: number | undefined;

  const errno = (code: number): Error => new fs.ErrnoError(code);
  const nextFrame = (): void => {
    for (;;) {
      const frame = wire.read();
      if (frame === undefined) options.onEnd();
      else if (frame.type === RUNTIME.wake) {
        if (options.interrupted()) throw errno(ERRNO.EINTR);
      } else {
        inbound.push(frame.bytes);
        return;
      }
    }
  };

  const ops: DeviceOps = {
    read(_stream, buffer, offset, length) {
      if (length === 0) return 0;
      if (inbound.length === 0) nextFrame();
      const first = inbound[0];
      if (first === undefined) return 0;
      const size = Math.min(length, first.length);
      buffer.set(first.subarray(0, size), offset);
      if (size === first.length) inbound.shift();
      else inbound[0] = first.subarray(size);
      return size;
    },
    write(_stream, buffer, offset, length) {
      const bytes = Buffer.from(buffer.buffer, buffer.byteOffset + offset, length);
      // Refused before anything is copied: a guest could send frames until memory is full.
      if (!options.uncapped && (outbound?.length ?? 0) + length > MAX_GUEST_FRAME) throw errno(ERRNO.EMSGSIZE);
      const whole = outbound === undefined ? bytes : Buffer.concat([outbound, bytes]);
      outbound = undefined;
      const size = options.uncapped || options.unchecked ? whole.length : frameSize(whole, options.onViolation);
      if (size > whole.length) outbound = Buffer.from(whole);
      else if (size < whole.length) options.onViolation('two frames in one write');
      else {
        if (whole[4] === GUEST_FRAME.result) {
          failed = isFailed(whole);
          answered = whole.readUInt32LE(5);
        }
        wire.write(whole);
      }
      return length;
    },
    // A typed error: emscripten lets a plain Error through, which would kill the interpreter.
    llseek() {
      throw errno(ERRNO.ESPIPE);
    },
  };
  const [{ path, major, minor }] = GUEST_DEVICES;
  fs.registerDevice(fs.makedev(major, minor), ops);
  fs.mkdev(path, 0o666, fs.makedev(major, minor));
  return {
    deliver(frame) {
      inbound.push(frame.bytes);
    },
    clear() {
      inbound = [];
      outbound = undefined;
      answered = undefined;
    },
    answered: (command) => answered === command,
    failed: () => failed,
  };
}

function isFailed(result: Buffer): boolean {
  return result.toString('latin1', FRAME_PREFIX, FRAME_PREFIX + FAILED.length) === FAILED;
}

const GUEST_TYPES: ReadonlySet<number> = new Set([
  GUEST_FRAME.result,
  GUEST_FRAME.request,
  GUEST_FRAME.output,
  GUEST_FRAME.blob,
]);

/** The length the frame claims; a frame that no guest may send ends the worker. */
function frameSize(bytes: Buffer, onViolation: (what: string) => never): number {
  if (bytes.length < FRAME_PREFIX) return FRAME_PREFIX;
  const size = bytes.readUInt32LE(0) + 4;
  if (size > MAX_GUEST_FRAME) onViolation('frame too large');
  if (size < FRAME_PREFIX) onViolation('frame too short');
  const type = bytes.readUInt8(4);
  if (!GUEST_TYPES.has(type)) onViolation(`frame type ${type}`);
  return size;
}
