/**
 * Starts Pyodide on this process's main thread, from the base snapshot or from nothing (to make one), with the gate in
 * front and everything in place that the guest may touch.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import { constants, readSync } from 'node:fs';
import type { EmscriptenFs, Pyodide } from './emscripten.ts';
import { type Gate, installGate, type Replacements, removeStackSwitching, tableOf } from './gate.ts';
import { PYODIDE_VERSION } from './imports.ts';
import { type BootHeader, FD } from './protocol.ts';

/** Everything `loadPyodide` would otherwise fetch or look for. */
const LOCK_FILE = JSON.stringify({
  info: { abi_version: '2026_0', arch: 'wasm32', platform: 'emscripten', python: '3.14.2', version: PYODIDE_VERSION },
  packages: {},
});

export interface BootOptions {
  readonly header: BootHeader;
  readonly replacements: Replacements;
  readonly onDenied: (name: string) => never;
}

/** A booted interpreter; the gate is not locked yet. */
export interface Booted {
  readonly pyodide: Pyodide;
  readonly gate: Gate;
  /** The linear memory as in the base snapshot; empty when baking. */
  readonly base: Uint8Array;
}

/** Boots. */
export async function boot({ header, replacements, onDenied }: BootOptions): Promise<Booted> {
  prepareProcess();
  const open = new Set(header.open);
  const snapshot = header.baseBytes > 0 ? readBase(header.baseBytes) : undefined;
  if (!open.has('suspending')) removeStackSwitching();
  const gate = installGate({ replacements, onDenied, baseBytes: header.baseBytes, open: open.has('gate') });
  const { loadPyodide } = (await import(new URL('pyodide.mjs', header.pyodideDir).href)) as {
    loadPyodide: (options: object) => Promise<Pyodide>;
  };
  const pyodide = await loadPyodide({
    jsglobals: Object.freeze(Object.create(null)),
    env: { HOME: '/home/pyodide', PYTHONHASHSEED: '0', LANG: 'en_US.UTF-8', TZ: 'UTC' },
    stdin: () => null,
    stdout: () => {},
    stderr: () => {},
    _sysExecutable: '/usr/bin/python3',
    lockFileContents: LOCK_FILE,
    packageBaseUrl: '/nowhere/',
    ...(snapshot === undefined ? { _makeSnapshot: true } : { _loadSnapshot: snapshot }),
  });
  if (pyodide.version !== PYODIDE_VERSION) {
    throw new Error(`pyodide ${pyodide.version} is not the reviewed release ${PYODIDE_VERSION}`);
  }
  return { pyodide, gate, base: snapshot === undefined ? new Uint8Array(0) : heapOf(snapshot) };
}

/** Sets what Pyodide's loader needs, and removes what it must not find. */
function prepareProcess(): void {
  process.env.TZ = 'UTC';
  // Pyodide would copy the host's paths from argv into sys.argv and sys.executable.
  process.argv.length = 1;
  process.argv[0] = 'python3';
  // NODEFS asks for this while it is set up; the permission model refuses the real function.
  Object.defineProperty(process, 'binding', {
    value: (name: string) => {
      if (name === 'constants') return { fs: constants };
      throw new Error('not available');
    },
    configurable: true,
    writable: true,
  });
  // A finaliser of Pyodide's that runs after a rollback would give back memory that is in use again.
  Object.defineProperty(globalThis, 'FinalizationRegistry', {
    value: class {
      register(): void {}
      unregister(): void {}
    },
    configurable: true,
    writable: true,
  });
}

function readBase(bytes: number): Uint8Array {
  const snapshot = new Uint8Array(bytes);
  let at = 0;
  while (at < bytes) {
    const got = readSync(FD.base, snapshot, at, bytes - at, at);
    if (got === 0) throw new Error('the base snapshot is shorter than it should be');
    at += got;
  }
  return snapshot;
}

/** The memory inside of a snapshot, behind Pyodide's own header. */
function heapOf(snapshot: Uint8Array): Uint8Array {
  return snapshot.subarray(Buffer.from(snapshot.buffer).readUInt32LE(4));
}

/** Takes the terminals away: on a main thread `/dev/tty` would read the process's real input. */
export function removeTerminals(fs: EmscriptenFs): void {
  for (const path of ['/dev/tty', '/dev/tty1']) fs.unlink(path);
}

/** An exported WASM function is named after its index in its module: below are imports, which are JavaScript. */
function isOwnFunction(entry: { readonly name: string }, gate: Gate): boolean {
  return Number(entry.name) >= gate.importedFunctions;
}

/**
 * The module's own table entries hold no import. They are the same in every process that loads the module, so one look
 * for each base snapshot is enough.
 */
export function checkOwnEntries(gate: Gate): void {
  const table = tableOf(gate.instance);
  for (let index = 0; index < gate.ownEntries; index += 1) {
    const entry = table.get(index);
    if (typeof entry === 'function' && !isOwnFunction(entry, gate))
      throw new Error('the table of the module holds an import');
  }
}

/**
 * Empties the function table of JavaScript. emscripten puts graphics stubs and console functions there, where
 * `call_indirect` reaches them past the gate. emscripten's own mirror of the table keeps them too, and
 * `__call_sighandler` calls what it finds there. Entries of the module itself are not looked at here, because each
 * would become an object: {@link checkOwnEntries} looked at them when the base snapshot was made.
 *
 * @returns how many entries were dropped
 */
export function emptyTable(pyodide: Pyodide, gate: Gate, keepMirror: boolean): number {
  const table = tableOf(gate.instance);
  const trampoline = table.length - 1;
  const named = new Set(Object.values(pyodide._module.GOT).map((entry) => entry.value));
  let dropped = 0;
  for (let index = gate.ownEntries; index < table.length; index += 1) {
    const entry = table.get(index);
    if (typeof entry !== 'function' || isOwnFunction(entry, gate)) continue;
    if (index === trampoline && !named.has(index)) continue;
    table.set(index, null);
    dropped += 1;
  }
  if (!keepMirror) pyodide._module.wasmTableMirror.length = 0;
  return dropped;
}
