/**
 * The guest's own descriptors: no input, output that goes to the host as output frames, and a device to sleep on.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import type { DeviceOps, EmscriptenFs } from './emscripten.ts';
import { ERRNO } from './imports.ts';
import { GUEST_DEVICES, GUEST_FRAME } from './protocol.ts';
import type { Wire } from './wire.ts';

/** Bytes a command may write past `sys.stdout`, straight to descriptors 1 and 2. The rest is dropped. */
const RAW_OUTPUT = 1024 * 1024;
/** Milliseconds between two looks for a signal while sleeping. */
const NAP = 10;

export interface StdioOptions {
  readonly fs: EmscriptenFs;
  readonly wire: Wire;
  /** The command that runs; 0: none. */
  readonly command: () => number;
  readonly interrupted: () => boolean;
  readonly now: () => number;
}

/** The guest's descriptors 0, 1 and 2. */
export interface Stdio {
  /** A command starts. */
  reset(): void;
}

/** Puts the devices in place. */
export function makeStdio(options: StdioOptions): Stdio {
  const { fs, wire } = options;
  let room = RAW_OUTPUT;
  const output = (stream: string): DeviceOps => ({
    read: () => 0,
    write(_stream, buffer, offset, length) {
      const size = Math.min(length, room);
      if (size > 0 && options.command() !== 0) {
        room -= size;
        const bytes = Buffer.from(buffer.buffer, buffer.byteOffset + offset, size);
        wire.send(GUEST_FRAME.output, options.command(), { stream }, [bytes]);
      }
      return length;
    },
    llseek: () => fail(fs, ERRNO.ESPIPE),
  });
  const input: DeviceOps = {
    read: () => 0,
    write: (_stream, _buffer, _offset, length) => length,
    llseek: () => fail(fs, ERRNO.ESPIPE),
  };
  for (const [fd, name, ops] of [
    [0, 'stdin', input],
    [1, 'stdout', output('stdout')],
    [2, 'stderr', output('stderr')],
  ] as const) {
    const node = fs.lookupPath(`/dev/${name}`, { follow: true }).node;
    fs.registerDevice(node.rdev, ops);
    const stream = fs.streams[fd];
    if (stream) stream.stream_ops = ops;
  }
  makeSleep(options);
  return {
    reset() {
      room = RAW_OUTPUT;
    },
  };
}

function fail(fs: EmscriptenFs, errno: number): never {
  throw new fs.ErrnoError(errno);
}

/** `/dev/sleep`: a write of a float64 waits that many seconds, without using the processor. */
function makeSleep({ fs, interrupted, now }: StdioOptions): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const { wait } = Atomics;
  const seconds = new Float64Array(1);
  const bytes = new Uint8Array(seconds.buffer);
  const ops: DeviceOps = {
    read: () => 0,
    write(_stream, buffer, offset, length) {
      if (length !== 8) return length;
      bytes.set(new Uint8Array(buffer.buffer, buffer.byteOffset + offset, 8));
      const end = now() + (seconds[0] ?? 0) * 1000;
      for (let left = end - now(); left > 0; left = end - now()) {
        wait(cell, 0, 0, Math.min(left, NAP));
        if (interrupted()) fail(fs, ERRNO.EINTR);
      }
      return length;
    },
    llseek: () => fail(fs, ERRNO.ESPIPE),
  };
  const [, { path, major, minor }] = GUEST_DEVICES;
  fs.registerDevice(fs.makedev(major, minor), ops);
  fs.mkdev(path, 0o666, fs.makedev(major, minor));
}
