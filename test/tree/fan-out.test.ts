import { describe, expect, it } from 'vitest';
import { scriptedModel } from '../../src/test.ts';
import { BACKEND, cell, chance, grow, isRootCall, modelsPerDepth, ownProcesses, providerOf } from './harness.ts';
import { descendants, residentBytes } from './processes.ts';

const MB = 1024 * 1024;

describe('10 000 prompts in one batch', () => {
  it('come back in order, within memory, at host and guest', async () => {
    let calls = 0;
    let hostPeak = 0;
    let guestPeak = 0;
    const look = (): void => {
      hostPeak = Math.max(hostPeak, process.memoryUsage.rss());
      guestPeak = Math.max(
        guestPeak,
        descendants().reduce((most, pid) => Math.max(most, residentBytes(pid)), 0),
      );
    };
    const before = process.memoryUsage.rss();
    const root = scriptedModel(
      ({ messages }) => {
        look();
        if (messages.length === 2) return cell('"ready"');
        return cell(
          // 100 MB of prompts: what goes beyond that is the runtime's.
          'rs = llm_query_batched([f"{i:05d}" + "." * 10_000 for i in range(10_000)])',
          'FINAL([len(rs), all(r == f"{i:05d}!" for i, r in enumerate(rs))])',
        );
      },
      { modelId: 'root' },
    );
    const sub = scriptedModel(
      ({ prompt }) => {
        calls += 1;
        if (calls % 500 === 0) look();
        return `${prompt.slice(0, 5)}!`;
      },
      { modelId: 'sub' },
    );
    // The double remembers every request; here that would be the memory that is measured.
    Object.assign(sub.requests, { push: () => 0 });
    const { run } = grow({
      ...{ model: root, subModel: sub, ...ownProcesses() },
      limits: { maxSubCalls: 20_000, maxTokens: 1_000_000_000 },
    });
    const result = await run;

    expect(JSON.parse(result.text)).toEqual([10_000, true]);
    expect(calls).toBe(10_000);
    expect(hostPeak - before).toBeLessThan(300 * MB);
    if (BACKEND === 'python') expect(guestPeak).toBeLessThan(400 * MB);
  }, 120_000);
});

describe('calls of very different length', () => {
  it('keep every slot busy: near the makespan of a greedy schedule', async () => {
    const AT_ONCE = 50;
    const latencies = Array.from({ length: 1_000 }, (_, index) => {
      const u = (1 + chance(`latency ${index}`, 9_999)) / 10_000;
      return Math.round(Math.min(600, 10 / u ** 0.7));
    });
    const { run } = grow({
      model: scriptedModel(
        () =>
          cell(
            'import time',
            'begun = time.perf_counter()',
            'rs = llm_query_batched([str(i) for i in range(1_000)])',
            'FINAL((time.perf_counter() - begun) * 1000)',
          ),
        { modelId: 'root' },
      ),
      subModel: scriptedModel(({ prompt }) => ({ text: prompt, latencyMs: latencies[Number(prompt)] ?? 0 }), {
        modelId: 'sub',
      }),
      limits: { maxConcurrentCalls: AT_ONCE, maxTokens: 100_000_000 },
    });
    const took = Number((await run).text);
    // The bar is 0.95 (bench/fan-out.bench.ts measures it); a test machine may be busy with anything.
    expect(greedyMakespan(latencies, AT_ONCE) / took).toBeGreaterThan(0.3);
  }, 60_000);
});

/** When the last of these ends if each is begun, in order, by whichever of `slots` is free first. */
function greedyMakespan(latencies: readonly number[], slots: number): number {
  const free = Array.from({ length: slots }, () => 0);
  for (const latency of latencies) {
    const next = free.indexOf(Math.min(...free));
    free[next] = (free[next] ?? 0) + latency;
  }
  return Math.max(...free);
}

describe('a provider that allows 50 requests per second', () => {
  // The bars (0.95, one percent) are held in simulation and measured by bench/fan-out.bench.ts: here others use the machine.
  it.each([
    { limited: 'by headers', headers: 'openai' as const, latencyMs: 0, atMost: 0.01 },
    { limited: 'by refusals alone', headers: undefined, latencyMs: 100, atMost: 0.05 },
  ])(
    'is used to the full and rarely refuses, through the whole engine ($limited)',
    async ({ headers, latencyMs, atMost }) => {
      const CALLS = 400;
      await using provider = await providerOf(
        (request) =>
          isRootCall(request)
            ? cell(`rs = llm_query_batched([f"p {i}" for i in range(${CALLS})])`, 'FINAL(sum(r.ok for r in rs))')
            : { text: 'ok', latencyMs },
        { rateLimit: { perSecond: 50, burst: 50, ...(headers !== undefined && { headers }) } },
      );
      const { run } = grow({ ...modelsPerDepth(provider, 1), limits: { maxTokens: 50_000_000 } });
      const { text } = await run;

      expect(text).toBe(String(CALLS));
      const times = provider.calls.filter(({ outcome }) => outcome === 'replied').map(({ at }) => at);
      const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
      const refused = provider.calls.length - times.length;
      // The burst is there at once; the rest comes at the allowed rate.
      expect((times.length - 50) / 50 / seconds).toBeGreaterThan(0.85);
      expect(refused / provider.calls.length).toBeLessThanOrEqual(atMost);
    },
    60_000,
  );
});
