import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { QUICK_ROW } from './worker/protocol.ts';
import { encodeFrame, openWire, type Wire } from './worker/wire.ts';

// A file replaces the socket: a read returns at once where nothing is there yet.
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

/** As many quick frames as it takes to look for the next. */
function warmUp(wire: Wire): void {
  for (let frame = 0; frame < QUICK_ROW; frame += 1) expect(passes(wire)).toBe(true);
}

test('looks for a frame, once several came quickly, until the host says that it is sent', () => {
  const sent = vi.fn<() => number>().mockReturnValue(9).mockReturnValueOnce(8).mockReturnValueOnce(8);
  const wire = openWire(fd, { sent, now: () => 0 });
  warmUp(wire);
  expect(sent).not.toHaveBeenCalled();
  expect(passes(wire)).toBe(true);
  expect(sent).toHaveBeenCalledTimes(3);
});

test('sleeps after a while, and does not look again until several have been quick', () => {
  let time = 0;
  let step = 0;
  const sent = vi.fn(() => 8);
  const now = (): number => {
    time += step;
    return time;
  };
  const wire = openWire(fd, { sent, now });
  warmUp(wire);
  step = 0.1;
  expect(passes(wire)).toBe(true);
  expect(sent.mock.calls.length).toBeGreaterThan(1);
  step = 0;
  sent.mockReset();
  warmUp(wire);
  expect(sent).not.toHaveBeenCalled();
});
