/**
 * The cost that the HTTP server adds to a completion: processor time and milliseconds per request beside the library alone, in the
 * same process and with the same scripted model. Look at the processor time on a machine that others use.
 *
 * Run: `node bench/server.bench.ts`
 */
import { pathToFileURL } from 'node:url';
import { createRlm, memoryStore } from '../src/index.ts';
import { startServer } from '../src/server/index.ts';
import { scriptedModel } from '../src/test.ts';
import { report } from './support/report.ts';

const REQUESTS = 100;
/** Milliseconds of processor time that one request may add. */
const GOAL_MS = 5;

/** Prints the lines. */
export async function benchServer(): Promise<void> {
  const store = memoryStore();
  const model = scriptedModel(() => 'FINAL("yes")');
  await using rlm = createRlm({ model, store });
  await using server = await startServer({ rlm, store });
  const ask = async (stream: boolean): Promise<void> => {
    const body = JSON.stringify({ model: 'fathom', messages: [{ role: 'user', content: 'Is it?' }], stream });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', headers, body });
    if (!(await response.text()).includes('yes')) throw new Error('no answer');
  };
  const library = await measured(async () => {
    await rlm.completion({ query: 'Is it?' });
  });
  for (const [name, stream] of [
    ['a chat completion', false],
    ['a streamed chat completion', true],
  ] as const) {
    const used = await measured(() => ask(stream));
    report({
      name: `${name}: processor time it adds, client included`,
      measured: used.cpu - library.cpu,
      unit: 'ms',
      bar: GOAL_MS,
    });
    console.log(
      `    (${used.median.toFixed(1)} ms per request, ${library.median.toFixed(1)} ms in the library alone; p99 ${used.p99.toFixed(1)} and ${library.p99.toFixed(1)} ms)`,
    );
  }
}

/** One after the other: milliseconds of processor time of each, and of its duration. */
async function measured(
  work: () => Promise<void>,
): Promise<{ readonly cpu: number; readonly median: number; readonly p99: number }> {
  for (let warm = 0; warm < 10; warm += 1) await work();
  const durations: number[] = [];
  const before = process.cpuUsage();
  for (let index = 0; index < REQUESTS; index += 1) {
    const start = performance.now();
    await work();
    durations.push(performance.now() - start);
  }
  const { user, system } = process.cpuUsage(before);
  durations.sort((a, b) => a - b);
  const at = (part: number): number => durations[Math.floor(part * REQUESTS)] ?? 0;
  return { cpu: (user + system) / 1_000 / REQUESTS, median: at(0.5), p99: at(0.99) };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchServer();
