/**
 * The pyodide backend's start, its cells and its calls, each beside a floor of the same run.
 *
 * Run: `node bench/pyodide-repl.bench.ts`
 */
import { pathToFileURL } from 'node:url';
import type { Repl } from '../src/repl/port.ts';
import { pyodideBackend } from '../src/repl/pyodide/index.ts';
import { bareBoot, echoRoundTrip, openBenchRepl, rest, run, timed } from './pyodide-floor.ts';
import { median, report } from './support/report.ts';

/** Cold start (bar 1.4 times the floor), warm start (5 ms), a cell (15 ms), llm_query (3 round trips). */
export async function benchPyodideRepl(): Promise<void> {
  await benchStart();
  const backend = pyodideBackend();
  try {
    await benchWarm(backend);
    const repl = await openBenchRepl(backend);
    await benchCells(repl);
    await benchCalls(repl);
  } finally {
    await backend.close();
  }
}

async function benchStart(): Promise<void> {
  const floors: number[] = [];
  const cold: number[] = [];
  const later: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    floors.push(await bareBoot());
    const backend = pyodideBackend({ most: 'process', spares: 0 });
    cold.push(await timed(() => openBenchRepl(backend)));
    later.push(await timed(() => openBenchRepl(backend)));
    await backend.close();
  }
  const floor = median(floors);
  const bar = 1.4 * floor;
  report({ name: 'first REPL of a process, self-test included', measured: median(cold), unit: 'ms', floor, bar });
  report({ name: 'a further REPL without a spare', measured: median(later), unit: 'ms', floor, bar });
}

async function benchWarm(backend: ReturnType<typeof pyodideBackend>): Promise<void> {
  await backend.prove();
  const warm: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    await rest(1_500);
    const startedAt = performance.now();
    const repl = await openBenchRepl(backend);
    warm.push(performance.now() - startedAt);
    await repl.close();
  }
  report({ name: 'a REPL from a warm spare', measured: median(warm), unit: 'ms', bar: 5 });
}

async function benchCells(repl: Repl): Promise<void> {
  const back: number[] = [];
  const paused: number[] = [];
  for (let round = 0; round < 100; round += 1) back.push(await timed(() => run(repl, `x = ${round}`)));
  for (let round = 0; round < 40; round += 1) {
    await rest(40);
    paused.push(await timed(() => run(repl, `x = ${round}`)));
  }
  report({ name: 'cell with its snapshot, one after the other', measured: median(back), unit: 'ms', bar: 15 });
  report({ name: 'cell after a pause, its snapshot taken in it', measured: median(paused), unit: 'ms', bar: 15 });
}

async function benchCalls(repl: Repl): Promise<void> {
  const measured: number[] = [];
  const floors: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    floors.push(await echoRoundTrip());
    const code =
      'import time\nt = time.perf_counter()\nfor _ in range(2000): llm_query("a")\n(time.perf_counter() - t) / 2000 * 1e6';
    measured.push(Number(await run(repl, code)));
  }
  const floor = median(floors);
  report({
    name: 'llm_query (floor: echo over a pipe)',
    measured: median(measured),
    unit: 'µs',
    floor,
    bar: 3 * floor,
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchPyodideRepl();
