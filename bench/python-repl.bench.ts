/**
 * The python backend's start, its REPLs, its cells and its calls, each beside a floor of the same run.
 *
 * Run: `node bench/python-repl.bench.ts`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { pythonBackend } from '../src/repl/python/backend.ts';
import { findInterpreter } from '../src/repl/python/interpreter.ts';
import { startZygote } from '../src/repl/python/zygote-process.ts';
import { median, openBenchRepl, plainPython, row, run, timed } from './python-floor.ts';

const MODULES = 'argparse,ast,asyncio,concurrent.futures,csv,dataclasses,datetime,decimal,difflib,hashlib,html.parser,inspect,json,logging,pathlib,pickle,random,re,shutil,sqlite3,statistics,subprocess,tempfile,threading,typing,urllib.parse,uuid,zipfile'; // biome-ignore format: a list
const ECHO = `
import os
while True:
    data = os.read(0, 65536)
    if not data: break
    os.write(1, data)
`;

/** Zygote ready (bar 80 ms), a REPL (5 ms), a cell (1 ms), llm_query (150 µs). */
export async function benchPythonRepl(): Promise<void> {
  const interpreter = await findInterpreter();
  await benchStart(interpreter);
  const backend = pythonBackend();
  try {
    await backend.prove();
    await benchOpen(backend);
    const repl = await openBenchRepl(backend);
    await benchCells(repl);
    await benchCalls(repl);
  } finally {
    await backend.close();
  }
}

async function benchStart(interpreter: Awaited<ReturnType<typeof findInterpreter>>): Promise<void> {
  const ready: number[] = [];
  const floors: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    floors.push(await timed(() => plainPython(`import ${MODULES}`)));
    const zygote = await startZygote({ interpreter });
    ready.push(zygote.readyMs);
    await zygote.close();
  }
  row('zygote ready (floor: Python with 30 imports)', {
    measured: median(ready),
    floor: median(floors),
    bar: 80,
    unit: 'ms',
  });
}

async function benchOpen(backend: ReturnType<typeof pythonBackend>): Promise<void> {
  const opened: number[] = [];
  const floors: number[] = [];
  for (let round = 0; round < 30; round += 1) {
    const startedAt = performance.now();
    const repl = await openBenchRepl(backend);
    opened.push(performance.now() - startedAt);
    await repl.close();
    floors.push(await timed(() => plainPython('pass')));
  }
  row('child REPL (floor: python -I -c pass)', { measured: median(opened), floor: median(floors), bar: 5, unit: 'ms' });
}

async function benchCells(repl: Awaited<ReturnType<typeof openBenchRepl>>): Promise<void> {
  const floor = await roundTrip();
  const back: number[] = [];
  const paused: number[] = [];
  for (let round = 0; round < 300; round += 1) back.push(await timed(() => run(repl, 'x = 1')));
  for (let round = 0; round < 100; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    paused.push(await timed(() => run(repl, 'x = 1')));
  }
  const hops = { floor: floor / 1_000, bar: 1, unit: 'ms' };
  row('cell with its snapshot, after 5 ms of rest', { ...hops, measured: median(paused) });
  row('cell with its snapshot, one after the other', { ...hops, measured: median(back) });
}

async function benchCalls(repl: Awaited<ReturnType<typeof openBenchRepl>>): Promise<void> {
  const measured: number[] = [];
  const floors: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    floors.push(await roundTrip());
    const code =
      'import time\nt = time.perf_counter()\nfor _ in range(2000): llm_query("a")\n(time.perf_counter() - t) / 2000 * 1e6';
    measured.push(Number(await run(repl, code)));
  }
  row('llm_query (floor: echo over two pipes)', {
    measured: median(measured),
    floor: median(floors),
    bar: 150,
    unit: 'µs',
  });
}

/** Microseconds from Node to Python and back, 100 bytes. */
async function roundTrip(): Promise<number> {
  const { executable } = await findInterpreter();
  const child = spawn(executable, ['-I', '-c', ECHO], { stdio: ['pipe', 'pipe', 'inherit'] });
  const message = Buffer.alloc(100, 120);
  const times: number[] = [];
  for (let round = 0; round < 1_000; round += 1) {
    const startedAt = performance.now();
    child.stdin.write(message);
    await once(child.stdout, 'data');
    times.push((performance.now() - startedAt) * 1_000);
  }
  child.stdin.end();
  await once(child, 'exit');
  return median(times);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchPythonRepl();
