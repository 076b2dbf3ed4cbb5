/**
 * Many calls at once, through the whole engine: how near to the ideal schedule they run, what durability takes of it, and
 * how fast a cancel ends all of them.
 *
 * Run: `node bench/fan-out.bench.ts [python|pyodide]`
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createRlm, type Limits, type Store } from '../src/index.ts';
import { sqliteStore } from '../src/store/index.ts';
import { scriptedModel } from '../src/test.ts';
import { startMockProvider } from '../test/mock-provider/index.ts';
import type { ProviderNews } from './support/hanging-provider.ts';
import { cell, report } from './support/report.ts';

type Backend = 'python' | 'pyodide';

const LIMITS: Partial<Limits> = { maxSubCalls: 100_000, maxTokens: 1_000_000_000, maxDurationMs: 3_600_000 };
const PROVIDER = fileURLToPath(new URL('support/hanging-provider.ts', import.meta.url));

/** Prints the lines of one backend. */
export async function benchFanOut(backend: Backend = 'python'): Promise<void> {
  console.log(`  ${backend}`);
  await benchEqual(backend);
  await benchHeavyTail(backend);
  await benchDurability(backend);
  await benchCancel(backend);
  await benchRate(backend);
}

interface FanOut {
  readonly backend: Backend;
  readonly calls: number;
  readonly inFlight: number;
  /** Milliseconds by the number of the call. */
  readonly latencyMs: (index: number) => number;
  readonly store?: Store;
}

/** Milliseconds that one batch takes, as the cell sees it; the best of some rounds. */
async function batchMs({ backend, calls, inFlight, latencyMs, store }: FanOut, rounds = 3): Promise<number> {
  const code = cell(
    'import time',
    'begun = time.perf_counter()',
    `rs = llm_query_batched([str(i) for i in range(${calls})])`,
    'took = (time.perf_counter() - begun) * 1e3',
    `assert rs == [f"<{i}>" for i in range(${calls})]`,
    'FINAL(took)',
  );
  await using rlm = createRlm({
    repl: backend,
    model: scriptedModel(() => code, { modelId: 'root' }),
    subModel: scriptedModel(({ prompt }) => ({ text: `<${prompt}>`, latencyMs: latencyMs(Number(prompt)) }), {
      modelId: 'sub',
    }),
    limits: { ...LIMITS, maxConcurrentCalls: inFlight },
    ...(store !== undefined && { store }),
  });
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) times.push(Number((await rlm.completion({ query: 'q' })).text));
  return Math.min(...times);
}

async function benchEqual(backend: Backend): Promise<void> {
  const took = await batchMs({ backend, calls: 1_000, inFlight: 100, latencyMs: () => 200 });
  report({
    name: '1 000 calls of 200 ms, 100 in flight: of ideal',
    measured: 2_000 / took,
    unit: '',
    bar: 0.97,
    atLeast: true,
  });
}

async function benchHeavyTail(backend: Backend): Promise<void> {
  // Pareto with a mean of some 45 ms and a longest of 3 s, by a fixed sequence.
  const latencies = Array.from({ length: 10_000 }, (_, index) => {
    const u = ((index * 7_919 + 13) % 10_007) / 10_007 + 1e-4;
    return Math.round(Math.min(3_000, 20 / u ** 0.6));
  });
  const inFlight = 100;
  const took = await batchMs(
    { backend, calls: latencies.length, inFlight, latencyMs: (index) => latencies[index] ?? 0 },
    2,
  );
  const measured = greedyMakespan(latencies, inFlight) / took;
  report({ name: '10 000 calls, heavy tail, 100 in flight: of greedy', measured, unit: '', bar: 0.95, atLeast: true });
}

/** When the last ends if each is begun, in order, by whichever slot is free first. */
function greedyMakespan(latencies: readonly number[], slots: number): number {
  const free = Array.from({ length: slots }, () => 0);
  for (const latency of latencies) {
    const next = free.indexOf(Math.min(...free));
    free[next] = (free[next] ?? 0) + latency;
  }
  return Math.max(...free);
}

async function benchDurability(backend: Backend): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-bench-'));
  const store = sqliteStore(folder);
  try {
    const shape = { backend, calls: 2_000, inFlight: 32, latencyMs: () => 20 };
    const off = await batchMs(shape);
    const on = await batchMs({ ...shape, store });
    report({
      name: '2 000 calls of 20 ms, 32 in flight: SQLite against memory',
      measured: on,
      unit: 'ms',
      floor: off,
      bar: 1.1 * off,
    });
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** From `cancel()` to the end of the last socket, as a provider in another process sees it, and to that of the run. */
async function benchCancel(backend: Backend): Promise<void> {
  const calls = 1_000;
  const code = cell(`rs = llm_query_batched([f"p {i}" for i in range(${calls})])`);
  const provider = fork(PROVIDER, [String(calls), code]);
  const { url } = await newsOf(provider, 'url');
  const closed: number[] = [];
  const ended: number[] = [];
  {
    await using rlm = createRlm({
      ...{ repl: backend, model: `${url}/v1#root`, subModel: `${url}/v1#sub` },
      limits: { ...LIMITS, maxConcurrentCalls: calls },
    });
    for (let round = 0; round < 6; round += 1) {
      const full = newsOf(provider, 'full');
      const run = rlm.completion({ query: 'q' });
      await full;
      const empty = newsOf(provider, 'empty');
      const startedAt = process.hrtime.bigint();
      run.cancel('bench');
      await run.then(undefined, () => undefined);
      ended.push(Number(process.hrtime.bigint() - startedAt) / 1e6);
      closed.push(Number(BigInt((await empty).at) - startedAt) / 1e6);
    }
  }
  provider.disconnect();
  await once(provider, 'exit');
  report({
    name: 'cancel, 1 000 in flight: all sockets closed (best of 6)',
    measured: Math.min(...closed),
    unit: 'ms',
    bar: 100,
  });
  report({
    name: 'cancel, 1 000 in flight: cell, run, accounts ended',
    measured: Math.min(...ended),
    unit: 'ms',
    bar: 100,
  });
}

/** A provider that shows its limit of 50 requests per second by refusals alone: the share that is used, and its price. */
async function benchRate(backend: Backend): Promise<void> {
  const calls = 1_500;
  const [perSecond, burst] = [50, 50];
  const code = cell(`rs = llm_query_batched([f"p {i}" for i in range(${calls})])`, 'FINAL(sum(r.ok for r in rs))');
  const mock = await startMockProvider({
    respond: ({ system }) => ({ text: system === '' ? 'ok' : code, latencyMs: 100 }),
    rateLimit: { perSecond, burst },
  });
  {
    await using rlm = createRlm({
      ...{ repl: backend, model: `${mock.url}/v1#root`, subModel: `${mock.url}/v1#sub` },
      limits: LIMITS,
    });
    const { text } = await rlm.completion({ query: 'q' });
    if (text !== String(calls)) throw new Error(`${text} of ${calls} calls were answered`);
  }
  const replied = mock.calls.filter(({ outcome }) => outcome === 'replied').map(({ at }) => at);
  await mock.close();
  const seconds = ((replied.at(-1) ?? 0) - (replied[0] ?? 0)) / 1_000;
  const allowed = burst + perSecond * seconds;
  report({
    ...{ name: '50 requests/s without headers: of the allowed', unit: '', bar: 0.95, atLeast: true },
    measured: replied.length / allowed,
  });
  const refused = (100 * (mock.calls.length - replied.length)) / mock.calls.length;
  report({ name: '50 requests/s without headers: refused', measured: refused, unit: '%', bar: 1 });
}

function newsOf<K extends ProviderNews['kind']>(
  provider: ChildProcess,
  kind: K,
): Promise<Extract<ProviderNews, { kind: K }>> {
  return new Promise((resolve) => {
    const listen = (news: unknown): void => {
      if ((news as ProviderNews).kind !== kind) return;
      provider.off('message', listen);
      resolve(news as Extract<ProviderNews, { kind: K }>);
    };
    provider.on('message', listen);
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await benchFanOut(process.argv[2] === 'pyodide' ? 'pyodide' : 'python');
}
