/**
 * Snapshot and rollback with nothing, 100 MB and 1 GB of live state, beside the fork they are made of.
 *
 * Run: `node bench/python-snapshots.bench.ts`
 */
import { pathToFileURL } from 'node:url';
import { pythonBackend } from '../src/repl/python/backend.ts';
import { median, openBenchRepl, plainPython, row, run } from './python-floor.ts';

const FORK = `
import os, sys, time
x = b"x" * int(sys.argv[1])
times = []
for _ in range(9):
    t = time.perf_counter()
    pid = os.fork()
    if pid == 0: os._exit(0)
    times.append(time.perf_counter() - t)
    os.waitpid(pid, 0)
print(sorted(times)[4] * 1e3)
`;

/** Bars: 5 ms empty, 10 ms with 100 MB, 30 ms with 1 GB, snapshot and rollback together. */
export async function benchPythonSnapshots(): Promise<void> {
  for (const [bytes, bar] of [
    [0, 5],
    [100_000_000, 10],
    [1_000_000_000, 30],
  ] as const) {
    const floor = Number(await plainPython(FORK, String(bytes)));
    const backend = pythonBackend();
    try {
      const repl = await openBenchRepl(backend);
      await run(repl, `x = b"x" * ${bytes}\nn = 0`);
      const taken: number[] = [];
      const back: number[] = [];
      for (let round = 0; round < 9; round += 1) {
        // At rest: the automatic snapshot of the last cell has been made while the model was thinking.
        await new Promise((resolve) => setTimeout(resolve, 60));
        const startedAt = performance.now();
        await repl.snapshot(`s${round}`);
        const between = performance.now();
        await repl.rollback(`s${round}`);
        back.push(performance.now() - between);
        taken.push(between - startedAt);
        if ((await run(repl, 'n')) !== '0') throw new Error('the rollback went wrong');
        await repl.deleteSnapshot(`s${round}`);
      }
      const label = bytes === 0 ? 'empty' : `${bytes / 1e6} MB`;
      const both = median(taken) + median(back);
      row(`snapshot + rollback, ${label} (floor: two forks)`, { measured: both, floor: 2 * floor, bar, unit: 'ms' });
      console.log(`    snapshot ${median(taken).toFixed(2)} ms, rollback ${median(back).toFixed(2)} ms`);
    } finally {
      await backend.close();
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchPythonSnapshots();
