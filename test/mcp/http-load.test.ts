/**
 * Many calls at once over HTTP: a burst, and a mixed load whose memory stays flat. `FATHOM_LOAD_CALLS` is the size of the burst,
 * `FATHOM_LOAD_SECONDS` the time of the second one; the full forms have 1 000 and 60.
 */
import { Agent, request as httpRequest } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { createRlm, memoryStore, type Rlm } from '../../src/index.ts';
import { type McpLimits, serveMcpOverHttp } from '../../src/mcp/index.ts';
import { memoryWhile, quantile, RunTimes, residentMib } from '../door-times.ts';
import { startMockProvider } from '../mock-provider/index.ts';

const CALLS = Number(process.env.FATHOM_LOAD_CALLS ?? 200);
const SECONDS = Number(process.env.FATHOM_LOAD_SECONDS ?? 4);
const AT_ONCE = SECONDS >= 60 ? 200 : 32;
/** MiB that the process may grow by in a burst: docs/mcp.md states it. */
const BURST_MIB = 256;

interface Reply {
  readonly status: number;
  readonly ms: number;
  readonly result: {
    readonly isError?: boolean;
    readonly structuredContent?: Readonly<Record<string, unknown>>;
    readonly _meta?: Readonly<
      Record<string, { readonly code: number; readonly data: Readonly<Record<string, unknown>> }>
    >;
  };
  readonly error?: { readonly code: number };
}

interface Serving {
  readonly url: string;
  readonly rlm: Rlm;
  readonly times: RunTimes;
  readonly errors: unknown[];
}

async function serve(limits: Partial<McpLimits>, maxRepls: number): Promise<Serving> {
  const mock = await startMockProvider({ respond: () => 'FINAL("done")' });
  onTestFinished(() => mock.close());
  const store = memoryStore({ keepRuns: 2_000 });
  const rlm = createRlm({ model: `${mock.url}/v1#root`, requireInspection: false, store, maxRepls });
  onTestFinished(() => rlm.close());
  const [times, errors] = [new RunTimes(), [] as unknown[]];
  const onError = (error: unknown): void => void errors.push(error);
  const server = await serveMcpOverHttp({ rlm: times.wrap(rlm), store, limits, onError });
  onTestFinished(() => server.close());
  return { url: server.url, rlm, times, errors };
}

/** One request, as clients of the protocol of 2025 send it. */
async function send(
  url: string,
  method: string,
  params: unknown,
  more: { readonly agent?: Agent; readonly host?: string } = {},
): Promise<Reply> {
  const begin = performance.now();
  const { agent, host } = more;
  const headers = {
    ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    ...(host !== undefined && { host }),
  };
  return await new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method: 'POST', headers, ...(agent !== undefined && { agent }) },
      async (response) => {
        const text = (await response.setEncoding('utf8').toArray()).join('');
        const message = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as Reply;
        resolve({ ...message, status: response.statusCode ?? 0, ms: performance.now() - begin });
      },
    );
    request.once('error', reject);
    request.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
  });
}

const ask = (question: string) => ({ name: 'ask', arguments: { question, text: 'x' } });

it(`answers or refuses each of ${CALLS} calls at once`, async () => {
  const { url, rlm, errors } = await serve({ maxRuns: 64 }, 4);
  const before = residentMib();
  const all = await Promise.all(
    Array.from({ length: CALLS }, (_, index) => send(url, 'tools/call', ask(`q ${index}`))),
  );
  const answered = all.filter(({ result }) => result.structuredContent?.answer === 'done');
  const refused = all.filter(({ result }) => result.isError);
  expect(answered.length + refused.length).toBe(CALLS);
  expect(answered.length).toBeGreaterThanOrEqual(Math.min(CALLS, 64));
  for (const { result } of refused) {
    expect(result._meta?.['fathom-rlm/error']).toMatchObject({
      code: -32_010,
      data: { code: 'overloaded', limit: 'maxRuns', retryable: true, retryAfterMs: 1_000 },
    });
  }
  expect(rlm.status()).toMatchObject({ runs: 0, queued: 0 });
  expect(errors).toEqual([]);
  const grown = residentMib() - before;
  console.log(`${answered.length} answered, ${refused.length} refused, ${grown.toFixed(0)} MiB more`);
  expect(grown).toBeLessThan(BURST_MIB);
}, 300_000);

it(
  `answers mixed calls for ${SECONDS} s with flat memory`,
  async () => {
    const { url, rlm, times, errors } = await serve({ maxRuns: 256, lingerMs: 1_000 }, 8);
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
    onTestFinished(() => agent.destroy());
    const tool = (name: string, args: object) => send(url, 'tools/call', { name, arguments: args }, { agent });
    let [done, unique] = [0, 0];
    const kinds: readonly (readonly [wanted: string, call: () => Promise<Reply>])[] = [
      ['answer', () => send(url, 'tools/call', ask(`q ${unique++}`), { agent })],
      ['answer', () => send(url, 'tools/call', ask(`q ${unique++}`))],
      ['status', () => tool('status', {})],
      ['tools', () => send(url, 'tools/list', {}, { agent })],
      ['invalid-option', () => tool('ask', { question: 'q' })],
      ['run-not-found', () => tool('result', { run_id: 'x' })],
      ['-32602', () => tool('frobnicate', {})],
      ['403', () => send(url, 'tools/list', {}, { agent, host: 'evil.example' })],
    ];
    const unexpected: string[] = [];
    const own: { ask: number[]; other: number[] } = { ask: [], other: [] };
    const end = performance.now() + SECONDS * 1_000;
    // The first fifth compiles and fills caches.
    const counted = end - SECONDS * 800;
    const worker = async (index: number): Promise<void> => {
      for (let round = index; performance.now() < end; round += 1) {
        const [wanted, one] = kinds[round % kinds.length] ?? ['', () => tool('status', {})];
        const begin = performance.now();
        const reply = await one();
        const got = kindOf(reply);
        done += 1;
        if (got !== wanted) unexpected.push(`${got} instead of ${wanted}`);
        if (begin < counted) continue;
        if (got === 'answer') own.ask.push(times.overhead(String(reply.result.structuredContent?.run_id), reply.ms));
        else own.other.push(reply.ms);
      }
    };
    const { first, second } = await memoryWhile(() =>
      Promise.all(Array.from({ length: AT_ONCE }, (_, index) => worker(index))),
    );
    const p = (values: readonly number[]): string =>
      `p50 ${quantile(values, 0.5).toFixed(1)} ms, p99 ${quantile(values, 0.99).toFixed(0)} ms`;
    console.log(
      `${done} calls, ${AT_ONCE} at once: ask beside its run ${p(own.ask)}; without a run ${p(own.other)}; ${first.toFixed(0)} → ${second.toFixed(0)} MiB`,
    );
    expect(unexpected.slice(0, 5)).toEqual([]);
    expect(errors).toEqual([]);
    expect(done).toBeGreaterThan(AT_ONCE);
    expect(rlm.status().runs).toBe(0);
    expect(second).toBeLessThan(first * 1.1 + 64);
  },
  (SECONDS + 120) * 1_000,
);

/** The kind of a reply, in one word. */
function kindOf({ status, result, error }: Reply): string {
  if (status !== 200) return String(status);
  if (error !== undefined) return String(error.code);
  if (result.isError) return String(result._meta?.['fathom-rlm/error']?.data.code);
  const { answer, server } = result.structuredContent ?? {};
  if (answer !== undefined) return 'answer';
  return server === undefined ? 'tools' : 'status';
}
