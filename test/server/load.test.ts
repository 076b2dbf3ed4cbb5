/**
 * Many requests at once: `FATHOM_LOAD_CALLS` in a burst, by default 1 000, and a mixed load whose memory stays flat for
 * `FATHOM_LOAD_SECONDS`, whose full form is 60.
 */
import { expect, it } from 'vitest';
import { memoryWhile, quantile, RunTimes, residentMib } from '../door-times.ts';
import { final, type RawResponse, raw, serve } from './harness.ts';

const BURST = Number(process.env.FATHOM_LOAD_CALLS ?? 1_000);
const SECONDS = Number(process.env.FATHOM_LOAD_SECONDS ?? 4);
const AT_ONCE = SECONDS >= 60 ? 200 : 48;
/** MiB that the process may grow by in a burst: 64 KiB for a connection with its request and answer, and the heap's slack. */
const BURST_MIB = 256;

const ASK = { model: 'fathom', messages: [{ role: 'user', content: 'Is it?' }] };

it(`answers or refuses each of ${BURST} requests at once`, async () => {
  const { server, rlm, mock } = await serve({ respond: () => final('yes'), rlm: { maxRepls: 4 } });
  const before = residentMib();
  const all = await Promise.all(
    Array.from({ length: BURST }, () => raw(`${server.url}/v1/chat/completions`, { body: ASK })),
  );
  const answered = all.filter(({ status }) => status === 200);
  const refused = all.filter(({ status }) => status === 429);
  expect(answered.length + refused.length).toBe(BURST);
  // 64 runs of one key at once are the least that are answered.
  expect(answered.length).toBeGreaterThanOrEqual(Math.min(BURST, 64));
  for (const { json } of answered) expect(json).toMatchObject({ choices: [{ message: { content: 'yes' } }] });
  for (const { json, headers } of refused) {
    expect(json).toMatchObject({ error: { code: 'overloaded', param: 'maxRunsPerKey' } });
    expect(Number(headers['retry-after-ms'])).toBeGreaterThan(0);
  }
  expect(mock.calls).toHaveLength(answered.length);
  expect(rlm.status()).toMatchObject({ runs: 0, queued: 0 });
  const grown = residentMib() - before;
  console.log(`${answered.length} answered, ${refused.length} refused, ${grown.toFixed(0)} MiB more`);
  expect(grown).toBeLessThan(BURST_MIB);
}, 120_000);

it(
  `serves mixed requests for ${SECONDS} s with flat memory`,
  async () => {
    const times = new RunTimes();
    const { server, rlm } = await serve({
      wrap: (made) => times.wrap(made),
      respond: ({ prompt }) => ({ text: final('yes'), ...(prompt.includes('slow') && { latencyMs: 200 }) }),
      rlm: { maxRepls: 8, limits: { maxTurns: 3 } },
      server: { limits: { maxRunsPerKey: 256 } },
    });
    const chat = (more: object) => raw(`${server.url}/v1/chat/completions`, { body: { ...ASK, ...more } });
    /** Starts a run of the server and follows it to its end. */
    const followed = async (): Promise<RawResponse> => {
      const started = await raw(`${server.url}/v1/runs`, { body: { query: 'go' } });
      const { text } = await raw(`${server.url}/v1/runs/${String(started.json.id)}/events`);
      return text.includes('event: run.completed') ? started : { ...started, status: 0, text };
    };
    const kinds: readonly (readonly [number, () => Promise<RawResponse>])[] = [
      [200, () => chat({})],
      [200, () => chat({ stream: true })],
      [200, () => raw(`${server.url}/v1/responses`, { body: { model: 'fathom', input: 'slow?' } })],
      [202, followed],
      [200, () => raw(`${server.url}/v1/models`)],
      [400, () => chat({ n: 2 })],
      [404, () => chat({ model: 'other' })],
      [200, () => raw(`${server.url}/v1/runs?status=completed`)],
    ];
    let done = 0;
    const unexpected: string[] = [];
    const end = performance.now() + SECONDS * 1_000;
    // The first fifth compiles and fills caches.
    const counted = end - SECONDS * 800;
    const own = { chat: [] as number[], other: [] as number[] };
    const worker = async (index: number): Promise<void> => {
      for (let round = index; performance.now() < end; round += 1) {
        const [wanted, ask] = kinds[round % kinds.length] ?? [200, () => chat({})];
        const begin = performance.now();
        const { status, text, headers } = await ask();
        const took = performance.now() - begin;
        const runId = String(headers['x-fathom-run-id']);
        done += 1;
        if (status !== wanted) unexpected.push(`${status} ${text}`);
        if (begin < counted || status === 202) continue;
        if (status === 200 && headers['x-fathom-run-id'] !== undefined) own.chat.push(times.overhead(runId, took));
        // These start no run: their time is the server's own, under the load of all others.
        else if (wanted >= 400 || text.includes('owned_by')) own.other.push(took);
      }
    };
    const { first, second } = await memoryWhile(() =>
      Promise.all(Array.from({ length: AT_ONCE }, (_, index) => worker(index))),
    );
    expect(unexpected.slice(0, 5)).toEqual([]);
    expect(done).toBeGreaterThan(AT_ONCE);
    expect(rlm.status().runs).toBe(0);
    const p = (values: readonly number[]): string =>
      `p50 ${quantile(values, 0.5).toFixed(1)} ms, p99 ${quantile(values, 0.99).toFixed(0)} ms`;
    console.log(
      `${done} requests, ${AT_ONCE} at once: beside its run ${p(own.chat)}; without a run ${p(own.other)}; ${first.toFixed(0)} → ${second.toFixed(0)} MiB`,
    );
    // The first half fills caches; the second half must not grow by more than a tenth and 64 MiB.
    expect(second).toBeLessThan(first * 1.1 + 64);
  },
  (SECONDS + 60) * 1_000,
);
