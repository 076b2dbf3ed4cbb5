/**
 * Snapshots and rollbacks of the pyodide backend, empty and with 100 MB of objects, and the way back after a kill.
 *
 * Run: `node bench/pyodide-snapshots.bench.ts`
 */
import { pathToFileURL } from 'node:url';
import type { Repl } from '../src/repl/port.ts';
import { pyodideBackend } from '../src/repl/pyodide/index.ts';
import { openBenchRepl, rest, run, timed } from './pyodide-floor.ts';
import { median, report } from './support/report.ts';

const OBJECTS = 'big = [("%d" % i) * 10 for i in range(1_300_000)]';

/** Bars: 45 ms for a snapshot or a rollback with 100 MB live. */
export async function benchPyodideSnapshots(): Promise<void> {
  const backend = pyodideBackend();
  try {
    const repl = await openBenchRepl(backend);
    await run(repl, 'x = 1');
    await benchRounds(repl, 'empty');
    const floor = compareFloor(100_000_000);
    await run(repl, OBJECTS);
    await benchRounds(repl, '100 MB live', floor);
    const back: number[] = [];
    for (let round = 0; round < 20; round += 1) back.push(await timed(() => run(repl, `x = ${round}`)));
    report({ name: 'cell with its snapshot, 100 MB live', measured: median(back), unit: 'ms', floor, bar: 60 });
    const recovered: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      await rest(1_500);
      recovered.push(await timed(() => repl.execute({ code: 'import os; os._exit(1)', handle: 'e2' })));
    }
    report({
      name: 'crash and back, 100 MB live, a spare being warm',
      measured: median(recovered),
      unit: 'ms',
      bar: 400,
    });
  } finally {
    await backend.close();
  }
}

async function benchRounds(repl: Repl, what: string, floor?: number): Promise<void> {
  const taken: number[] = [];
  const rolled: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    await run(repl, `y = [${round}] * 1000`);
    await rest(150);
    taken.push(await timed(() => repl.snapshot(`s${round}`)));
    await run(repl, 'y.append(1); z = {i: i for i in range(20_000)}');
    await rest(150);
    rolled.push(await timed(() => repl.rollback(`s${round}`)));
    await repl.deleteSnapshot(`s${round}`);
  }
  const beside = floor === undefined ? {} : { floor };
  report({ name: `snapshot, ${what}`, measured: median(taken), unit: 'ms', bar: 45, ...beside });
  report({ name: `rollback, ${what}`, measured: median(rolled), unit: 'ms', bar: 45, ...beside });
}

/** Milliseconds to compare two pieces of memory of this size, page by page. */
function compareFloor(bytes: number): number {
  const a = Buffer.alloc(bytes, 1);
  const b = Buffer.alloc(bytes, 1);
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const startedAt = performance.now();
    for (let at = 0; at + 16_384 <= bytes; at += 16_384) a.compare(b, at, at + 16_384, at, at + 16_384);
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchPyodideSnapshots();
