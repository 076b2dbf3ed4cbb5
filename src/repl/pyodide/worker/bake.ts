/**
 * Makes the base snapshot: boots Pyodide from nothing, imports the guest, and writes the memory out. No cell runs
 * in this process but those of the guest's own rehearsal.
 *
 * @module
 */
import { writeSync } from 'node:fs';
import { boot, checkOwnEntries } from './boot.ts';
import type { Pyodide } from './emscripten.ts';
import type { End } from './end.ts';
import type { Replacements } from './gate.ts';
import { type BootHeader, FD, GUEST_DEVICES, RUNTIME } from './protocol.ts';
import type { Wire } from './wire.ts';

export interface BakeRequest {
  readonly header: BootHeader;
  /** Texts of the guest's files, one after the other. */
  readonly body: Uint8Array;
  readonly replacements: Replacements;
  readonly wire: Wire;
  readonly end: End;
}

const FOLDER = '/lib/fathom';

/** Bakes, answers `ready` with the size, and ends. */
export async function bake({ header, body, replacements, wire, end }: BakeRequest): Promise<never> {
  const { pyodide, gate } = await boot({ header, replacements, onDenied: (name) => end.because(name) });
  checkOwnEntries(gate);
  const { FS: fs } = pyodide;
  for (const device of GUEST_DEVICES) {
    fs.registerDevice(fs.makedev(device.major, device.minor), { read: () => 0, write: () => 0 });
    fs.mkdev(device.path, 0o666, fs.makedev(device.major, device.minor));
  }
  writeGuest(pyodide, header, body);
  const fd = pyodide.runPython(`
import sys
sys.path.insert(0, "${FOLDER}")
import fathom_pyodide
fathom_pyodide.bake()
`);
  if (fd !== GUEST_DEVICES[0].fd) throw new Error('the guest opened its device under another descriptor');
  const snapshot = pyodide.makeMemorySnapshot();
  let at = 0;
  while (at < snapshot.length) at += writeSync(FD.base, snapshot, at, snapshot.length - at, at);
  wire.send(RUNTIME.ready, 0, { bytes: snapshot.length });
  return end.quietly();
}

function writeGuest({ FS: fs }: Pyodide, header: BootHeader, body: Uint8Array): void {
  let at = 0;
  for (const file of header.files) {
    const path = `${FOLDER}/${file.path}`;
    fs.mkdirTree(path.slice(0, path.lastIndexOf('/')));
    fs.writeFile(path, body.subarray(at, at + file.bytes));
    at += file.bytes;
  }
}
