import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testBackend } from '../../src/repl/pyodide/testing.ts';
import { ANSWER, PASS, PYODIDE_VERSION, REPLACED } from '../../src/repl/pyodide/worker/imports.ts';
import { startWorker } from '../../src/repl/pyodide/worker-handle.ts';

interface Wasm {
  compile(bytes: Uint8Array): Promise<object>;
  Module: { imports(module: object): { module: string; name: string; kind: string }[] };
}

const require = createRequire(import.meta.url);
const pinned = JSON.parse(readFileSync(join(import.meta.dirname, 'pyodide-imports.json'), 'utf8')) as Record<
  string,
  string[]
>;

async function importsOfModule(): Promise<Record<string, string[]>> {
  const { compile, Module } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
  const module = await compile(readFileSync(require.resolve('pyodide/pyodide.asm.wasm')));
  const lists: Record<string, string[]> = {};
  for (const { module: from, name, kind } of Module.imports(module)) {
    const key = `${from} ${kind}`;
    lists[key] = [...(lists[key] ?? []), name];
  }
  return Object.fromEntries(Object.entries(lists).map(([key, names]) => [key, names.toSorted()]));
}

// A new Pyodide may bring imports that were never reviewed, and table entries (GOT.func) that are JavaScript: review
// them, then update the lists in worker/imports.ts and this file.
test('the interpreter asks for exactly the imports that were reviewed', async () => {
  expect(require('pyodide/package.json').version).toBe(PYODIDE_VERSION);
  expect(await importsOfModule()).toEqual(pinned);
});

test('every name in our lists is one the interpreter asks for, in one list only', () => {
  const ours = [...PASS, ...ANSWER.keys(), ...REPLACED];
  const theirs = new Set([...(pinned['env function'] ?? []), ...(pinned['wasi_snapshot_preview1 function'] ?? [])]);
  expect(ours.filter((name) => !theirs.has(name))).toEqual([]);
  expect(ours.length).toBe(new Set(ours).size);
});

test('a worker drops exactly the known JavaScript functions from the table, and removes every global it means to', async () => {
  const reports: { tableDropped: number; globalsLeft: readonly string[] }[] = [];
  const backend = testBackend({ most: 'process', switches: { onReady: (report) => reports.push(report) } });
  await backend.prove();
  await backend.close();
  // 253 graphics stubs, 4 console functions, out and err. The last entry is the call trampoline, which is WASM.
  expect(reports[0]?.tableDropped).toBe(259);
  // A few properties of `process` are fixed, but `process` itself is another object then.
  expect(reports[0]?.globalsLeft.filter((name) => !name.startsWith('process.'))).toEqual([]);
});

// With stack switching in place one import is not a function; the gate must refuse rather than let it through.
test.skipIf(!('Suspending' in (globalThis as unknown as { WebAssembly: object }).WebAssembly))(
  'a gate that meets an import it cannot wrap does not boot',
  async () => {
    const backend = testBackend({ most: 'process', switches: { open: ['suspending'] } });
    await expect(backend.prove()).rejects.toThrow(/is not a function|ended/);
    await backend.close();
  },
);

test('a worker without a host says nothing and ends', async () => {
  const child = startWorker({
    ...{ node: process.execPath, script: join(import.meta.dirname, 'break-out.mjs'), readable: [] },
    ...{ level: 'process', descriptors: {} },
  });
  child.kill('test');
  expect(await child.busy(() => child.ended)).toBe('test');
  child.store.close();
});
