import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { encodeFrame, openWire, type Wire } from './child/wire.ts';

// A file stands for the socket: what is not there yet is no reason to wait.
let folder: string;
let path: string;
let fd: number;
let id: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-wire-'));
  path = join(folder, 'frames');
  writeFileSync(path, '');
  fd = openSync(path, 'r');
  id = 0;
});

afterEach(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** Sends a frame and has it read; true when what came is that frame. */
function passes(wire: Wire): boolean {
  id += 1;
  appendFileSync(path, encodeFrame(4, id, { replies: [] }));
  return wire.read()?.id === id;
}

test('a wire without a lookout sleeps for each frame, and ends with the stream', () => {
  const wire = openWire(fd);
  expect([passes(wire), passes(wire), wire.read()]).toEqual([true, true, undefined]);
});

test('looks for a frame, once the one before came quickly, until the host says that it is sent', () => {
  const sent = vi.fn<() => number>().mockReturnValue(2).mockReturnValueOnce(1).mockReturnValueOnce(1);
  const wire = openWire(fd, { sent, now: () => 0 });
  expect(passes(wire)).toBe(true);
  expect(sent).not.toHaveBeenCalled();
  expect(passes(wire)).toBe(true);
  expect(sent).toHaveBeenCalledTimes(3);
});

test('sleeps after a while, and does not look again until a frame has been quick', () => {
  let time = 0;
  let step = 0;
  const sent = vi.fn(() => 1);
  const now = (): number => {
    time += step;
    return time;
  };
  const wire = openWire(fd, { sent, now });
  passes(wire);
  step = 0.1;
  expect(passes(wire)).toBe(true);
  expect(sent.mock.calls.length).toBeGreaterThan(1);
  sent.mockClear();
  expect(passes(wire)).toBe(true);
  expect(sent).not.toHaveBeenCalled();
});
