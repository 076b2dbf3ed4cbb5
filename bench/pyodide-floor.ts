/**
 * Floors and a test bed for the benches of the pyodide backend.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { DEFAULT_LIMITS } from '../src/limits.ts';
import { cacheFolder } from '../src/repl/cache-folder.ts';
import type { Repl, ReplBackend, ReplHost } from '../src/repl/port.ts';
import { openBaseSnapshot } from '../src/repl/pyodide/base-snapshot.ts';
import { findInstallation } from '../src/repl/pyodide/installation.ts';
import { workerCode } from '../src/repl/pyodide/worker-code.ts';

/** Milliseconds of an asynchronous piece of work. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Waits, as between two cells of a model that thinks. */
export function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const refuse = (): never => {
  throw new Error('this bench asks for nothing');
};
const host: ReplHost = {
  async subCall() {
    const usage = { inputTokens: 1, outputTokens: 1, costUsd: null };
    return { ok: true, text: 'reply', truncated: false, usage };
  },
  callTool: refuse,
  checkAnswer: refuse,
  readHistory: refuse,
  readProjection: refuse,
};

/** A REPL whose sub-calls are answered at once. */
export function openBenchRepl(backend: ReplBackend): Promise<Repl> {
  return backend.open({ limits: { ...DEFAULT_LIMITS, callWindow: 40 }, host, least: 'process' });
}

/** Runs a cell that must not fail; gives the `repr` of its value. */
export async function run(repl: Repl, code: string): Promise<string | null> {
  const { error, value } = await repl.execute({ code, handle: 'e1' });
  if (error !== null) throw new Error(error.traceback);
  return value;
}

const BARE_BOOT = `
import { readFileSync } from 'node:fs';
const [, folder, base] = process.argv;
const snapshot = new Uint8Array(readFileSync(base));
const original = WebAssembly.instantiate;
WebAssembly.instantiate = async (source, imports) => {
  const made = await original(source, imports);
  const missing = snapshot.length - (made.instance?.exports.memory?.buffer.byteLength ?? snapshot.length);
  if (missing > 0) made.instance.exports.memory.grow(Math.ceil(missing / 65536));
  return made;
};
const { loadPyodide } = await import(folder + 'pyodide.mjs');
await loadPyodide({ _loadSnapshot: snapshot, jsglobals: Object.freeze(Object.create(null)), stdin: () => null, stdout() {}, stderr() {},
  lockFileContents: '{"info":{"abi_version":"2026_0","arch":"wasm32","platform":"emscripten","python":"3.14.2","version":"314.0.7"},"packages":{}}',
  packageBaseUrl: '/nowhere/' });
process.exit();
`;

/** Milliseconds of Node with Pyodide from the base snapshot and nothing around it: the floor of every start. */
export async function bareBoot(): Promise<number> {
  const installation = findInstallation();
  const cache = cacheFolder();
  const code = workerCode(installation, cache);
  const base = await openBaseSnapshot({ installation, code, node: process.execPath, cache });
  const path = `/proc/self/fd/${base.file.fd}`;
  const folder = `${pathToFileURL(dirname(createRequire(import.meta.url).resolve('pyodide/package.json'))).href}/`;
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', BARE_BOOT, folder, path.replace('self', String(process.pid))],
    {
      stdio: 'inherit',
    },
  );
  const startedAt = performance.now();
  const [exitCode] = await once(child, 'exit');
  base.file.close();
  if (exitCode !== 0) throw new Error('the floor did not start');
  return performance.now() - startedAt;
}

const ECHO = `
const { readSync, writeSync } = require('node:fs');
const bytes = Buffer.alloc(65536);
for (let got = readSync(3, bytes); got > 0; got = readSync(3, bytes)) writeSync(3, bytes, 0, got);
`;

/** Microseconds from Node to a process that reads and writes synchronously, and back, 100 bytes. */
export async function echoRoundTrip(rounds = 2_000): Promise<number> {
  const child = spawn(process.execPath, ['-e', ECHO], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  const stream = child.stdio[3] as Duplex;
  const message = Buffer.alloc(100, 120);
  let startedAt = 0;
  for (let round = -200; round < rounds; round += 1) {
    if (round === 0) startedAt = performance.now();
    stream.write(message);
    await once(stream, 'data');
  }
  const microseconds = ((performance.now() - startedAt) * 1_000) / rounds;
  stream.end();
  child.kill();
  return microseconds;
}

/** Resident megabytes of a process: now, and at most so far. */
export function residentMegabytes(pid: number): { readonly now: number; readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  return { now: field('VmRSS'), most: field('VmHWM') };
}

/** The child with the most memory: the one that holds the context. */
export function largestChild(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').map(Number);
  return children.sort((a, b) => residentMegabytes(b).now - residentMegabytes(a).now)[0] ?? 0;
}
