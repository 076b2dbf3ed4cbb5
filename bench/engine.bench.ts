/**
 * The engine's own time on top of its models': a completion, a turn, an `llm_query`, a child, on every backend that starts
 * here, each beside a floor of the same run. Models are in the process and answer at once.
 *
 * Run: `node bench/engine.bench.ts [python|pyodide]…`
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRlm, type Rlm, type Store } from '../src/index.ts';
import { sqliteStore } from '../src/store/index.ts';
import { scriptedModel } from '../src/test.ts';
import { cell, median, pipeRoundTrip, report } from './support/report.ts';

/** Bars per backend: milliseconds, and how many pipe round trips an `llm_query` may take. */
const BARS = {
  python: { completion: 5, turn: 2.5, call: 2, child: 5 },
  pyodide: { completion: 20, turn: 15, call: 3, child: 50 },
} as const;

type Backend = keyof typeof BARS;

const ROUNDS = { python: 25, pyodide: 9 } as const;
/** Milliseconds in which a spare REPL is made. */
const SPARE_MS = { python: 60, pyodide: 2_000 } as const;
const TURNS = 100;
const CALLS = 2_000;
/** Rounds before those that count: V8 keeps making this path faster for some ten thousand calls. */
const WARM_ROUNDS = 4;

/** Prints the lines of each backend that starts on this machine. */
export async function benchEngine(backends: readonly Backend[] = ['python', 'pyodide']): Promise<void> {
  for (const backend of backends) {
    const started = await startOf(backend);
    if (started !== undefined) {
      console.log(`  ${backend}: does not start here (${started})`);
      continue;
    }
    console.log(`  ${backend}`);
    await benchCompletion(backend);
    await benchTurns(backend);
    await benchCalls(backend);
    await benchChildren(backend);
  }
}

/** Why a backend does not start, if it does not. */
async function startOf(backend: Backend): Promise<string | undefined> {
  await using rlm = createRlm({ repl: backend, model: scriptedModel(() => 'FINAL(1)') });
  return await rlm.completion({ query: 'q' }).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

async function timed(rlm: Rlm): Promise<number> {
  const startedAt = performance.now();
  await rlm.completion({ query: 'q' });
  return performance.now() - startedAt;
}

/** Milliseconds of a completion whose model answers at once, a spare REPL being warm. */
async function immediate(backend: Backend, rlm: Rlm): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS[backend]; round += 1) {
    times.push(await timed(rlm));
    // Time to make the next spare, as between two questions of a user.
    await new Promise((resolve) => setTimeout(resolve, SPARE_MS[backend]));
  }
  return median(times.slice(3));
}

async function benchCompletion(backend: Backend): Promise<void> {
  await using rlm = createRlm({ repl: backend, model: scriptedModel(() => 'FINAL(42)') });
  report({
    name: 'completion, immediate answer, warm',
    measured: await immediate(backend, rlm),
    unit: 'ms',
    bar: BARS[backend].completion,
  });
}

async function benchTurns(backend: Backend): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-bench-'));
  const store = sqliteStore(folder);
  try {
    const off = await perTurn(backend, undefined);
    const hops = (await pipeRoundTrip()) / 1_000;
    const sync = fsyncMs(folder);
    const on = await perTurn(backend, store);
    const bar = BARS[backend].turn;
    report({ name: 'turn with a trivial cell, journal in memory', measured: off, unit: 'ms', floor: hops, bar });
    report({ name: 'turn with a trivial cell, journal on disk', measured: on, unit: 'ms', floor: hops + sync, bar });
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

async function perTurn(backend: Backend, store: Store | undefined): Promise<number> {
  const model = scriptedModel(({ messages }) => (messages.length < 2 * TURNS ? cell('x = 1') : 'FINAL(42)'));
  const limits = { maxTurns: TURNS + 1, maxTokens: 1_000_000_000 };
  await using rlm = createRlm({ repl: backend, model, limits, ...(store !== undefined && { store }) });
  const first = scriptedModel(() => 'FINAL(42)');
  const rounds: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    const all = await timed(rlm);
    const startedAt = performance.now();
    await rlm.completion({ query: 'q', model: first });
    rounds.push((all - (performance.now() - startedAt)) / (TURNS - 1));
  }
  return Math.min(...rounds);
}

/** Milliseconds of one small write with its sync. */
function fsyncMs(folder: string): number {
  const file = openSync(join(folder, 'sync'), 'w');
  const times: number[] = [];
  for (let round = 0; round < 50; round += 1) {
    const startedAt = performance.now();
    writeSync(file, 'x'.repeat(200));
    fdatasyncSync(file);
    times.push(performance.now() - startedAt);
  }
  closeSync(file);
  return median(times);
}

async function benchCalls(backend: Backend): Promise<void> {
  const code = cell(
    'import time',
    'def microseconds():',
    '    begun = time.perf_counter()',
    `    for _ in range(${CALLS}): llm_query("a")`,
    `    return (time.perf_counter() - begun) / ${CALLS} * 1e6`,
    'FINAL([microseconds(), microseconds()])',
  );
  await using rlm = createRlm({
    repl: backend,
    model: scriptedModel(() => code),
    subModel: scriptedModel(() => 'ok'),
    limits: { maxSubCalls: 1_000_000, maxTokens: 1_000_000_000 },
  });
  const perCall = async (): Promise<[cold: number, warm: number]> =>
    JSON.parse((await rlm.completion({ query: 'q' })).text);
  const [cold] = await perCall();
  for (let round = 1; round < WARM_ROUNDS; round += 1) await perCall();
  const rounds: { readonly measured: number; readonly floor: number }[] = [];
  for (let round = 0; round < 5; round += 1) {
    const before = await pipeRoundTrip();
    const [, measured] = await perCall();
    rounds.push({ measured, floor: (before + (await pipeRoundTrip())) / 2 });
  }
  const [best = { measured: Number.NaN, floor: Number.NaN }] = rounds.sort(
    (a, b) => a.measured / a.floor - b.measured / b.floor,
  );
  const name = 'llm_query, whole engine, warm (best of 5)';
  report({ name, ...best, unit: 'µs', bar: BARS[backend].call * best.floor });
  console.log(`    (the first ${CALLS} calls of the process: ${cold.toFixed(0)} µs each)`);
}

async function benchChildren(backend: Backend): Promise<void> {
  const code = cell(
    'import time',
    'times = []',
    'for i in range(8):',
    `    time.sleep(${SPARE_MS[backend] / 1_000})`,
    '    begun = time.perf_counter()',
    '    rlm_query(f"q {i}")',
    '    times.append((time.perf_counter() - begun) * 1e3)',
    'FINAL(sorted(times[1:])[3])',
  );
  await using rlm = createRlm({
    repl: backend,
    model: scriptedModel(() => code, { modelId: 'root' }),
    subModel: scriptedModel(() => 'FINAL(42)', { modelId: 'sub' }),
    limits: { maxDepth: 2 },
  });
  const { text } = await rlm.completion({ query: 'q' });
  report({
    name: 'child completion, immediate answer, warm',
    measured: Number(text),
    unit: 'ms',
    bar: BARS[backend].child,
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const asked = process.argv.slice(2).filter((name): name is Backend => name in BARS);
  await benchEngine(asked.length > 0 ? asked : undefined);
}
