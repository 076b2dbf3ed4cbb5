/**
 * Bursts of runs: all right, and memory within a bound. In CI a small form; `npm run soak` runs the full one.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createRlm, type Rlm, type RlmOptions, type RunEvent } from '../../src/index.ts';
import { defaultMaxRepls } from '../../src/limits.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell } from '../engine/harness.ts';
import { descendants } from '../tree/processes.ts';

const FULL = process.env.FATHOM_SOAK === '1';
const PATIENCE_MS = FULL ? 1_800_000 : 240_000;
const MIB = 1024 ** 2;
/** Bytes that the host may grow by: what queued runs, their events and their journals take. */
const HOST_BYTES = 512 * MIB;
/** Bytes of a REPL that computes next to nothing, spare and shared parts included. */
const REPL_BYTES = 192 * MIB;
/** Milliseconds between two looks at the memory: a look walks the pages of every process. */
const LOOK_MS = 2_000;

/** The peak usage of a burst. */
interface Peak {
  hostBytes: number;
  replBytes: number;
  /** Runs and children between their start and their end. */
  repls: number;
}

/** Bytes of all processes below this one, shared pages by their share. 0 where the kernel does not say. */
function replBytes(): number {
  const own = (pid: number): number => {
    try {
      return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024;
    } catch {
      return 0;
    }
  };
  return descendants().reduce((sum, pid) => sum + own(pid), 0);
}

async function watched(options: RlmOptions, work: (rlm: Rlm) => Promise<void>): Promise<Peak> {
  const peak: Peak = { hostBytes: 0, replBytes: 0, repls: 0 };
  let running = 0;
  const onEvent = ({ type }: RunEvent): void => {
    if (type === 'run.started') running += 1;
    if (type === 'run.completed') running -= 1;
    peak.repls = Math.max(peak.repls, running);
  };
  await using rlm = createRlm({ ...options, onEvent });
  await rlm.completion({ query: 'q', context: 'warm' });
  const before = process.memoryUsage.rss();
  const look = (): void => {
    peak.hostBytes = Math.max(peak.hostBytes, process.memoryUsage.rss() - before);
    peak.replBytes = Math.max(peak.replBytes, replBytes());
  };
  const timer = setInterval(look, LOOK_MS);
  try {
    await work(rlm);
    look();
  } finally {
    clearInterval(timer);
  }
  return peak;
}

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 50));

/** Two cells, a batch of five sub-calls, and the answer: the length of the context. */
const root = scriptedModel(async ({ messages }) => {
  await later();
  const turns = [
    cell('n = len(context)', 'print(n)'),
    cell('parts = llm_query_batched([f"item {i}" for i in range(5)])', 'print(parts)'),
    'FINAL_VAR(n)',
  ];
  return turns[messages.filter(({ role }) => role === 'assistant').length] ?? 'FINAL("too many turns")';
});
const sub = scriptedModel(async () => {
  await later();
  return 'ok';
});

async function burst(rlm: Rlm, runs: number): Promise<void> {
  const text = 'a'.repeat(100_000);
  const ended = await Promise.allSettled(
    // Each has a context of its own: the answer shows that it was this one.
    Array.from({ length: runs }, (_, i) => rlm.completion({ query: 'How long?', context: text.slice(i) })),
  );
  const wrong = ended.flatMap((end, i) => {
    if (end.status === 'rejected') return [String(end.reason)];
    return end.value.text === String(text.length - i) ? [] : [`run ${i}: ${end.value.text}`];
  });
  expect(wrong).toEqual([]);
}

/** Why a backend does not start here, if it does not. */
async function missing(repl: 'python' | 'pyodide'): Promise<string | undefined> {
  await using rlm = createRlm({ model: root, subModel: sub, repl });
  return await rlm.completion({ query: 'q', context: 'x' }).then(
    () => undefined,
    (error: unknown) => String(error),
  );
}

for (const { repl, runs } of [
  { repl: 'python', runs: FULL ? 1_000 : 150 },
  { repl: 'pyodide', runs: FULL ? 200 : 12 },
] as const) {
  test(
    `${runs} completions at once on ${repl} are all right, within the bounds of memory`,
    async ({ skip }) => {
      const reason = await missing(repl);
      if (reason !== undefined) skip(`${repl} does not start here: ${reason}`);
      const peak = await watched({ model: root, subModel: sub, repl }, (rlm) => burst(rlm, runs));
      console.log(
        `${runs} on ${repl}: host +${mib(peak.hostBytes)}, REPLs ${mib(peak.replBytes)}, ${peak.repls} at once`,
      );
      expect(peak.repls).toBeLessThanOrEqual(defaultMaxRepls());
      expect(peak.hostBytes).toBeLessThan(HOST_BYTES);
      expect(peak.replBytes).toBeLessThan(defaultMaxRepls() * REPL_BYTES);
    },
    PATIENCE_MS,
  );
}

const TREES = FULL ? 100 : 30;

test(
  `${TREES} runs with children at once all end, though parents hold REPLs while they wait`,
  async ({ skip }) => {
    const reason = await missing('python');
    const repl = reason === undefined ? 'python' : 'pyodide';
    if (reason !== undefined && !FULL) skip(`python does not start here: ${reason}`);
    const model = scriptedModel(({ messages }) => {
      const text = messages.map(({ content }) => content).join('\n');
      const child = /Query:\nchild (\d+)/.exec(text)?.[1];
      return child === undefined
        ? cell('FINAL(sum(int(r) for r in rlm_query_batched([f"child {i}" for i in range(4)])))')
        : cell(`FINAL(${child})`);
    });
    const maxRepls = 8;
    const peak = await watched({ model, repl, maxRepls, limits: { maxDepth: 2 } }, async (rlm) => {
      const ended = await Promise.all(Array.from({ length: TREES }, () => rlm.completion({ query: 'root' })));
      expect(ended.map(({ text }) => text)).toEqual(Array.from({ length: TREES }, () => '6'));
    });
    expect(peak.repls).toBeLessThanOrEqual(maxRepls);
  },
  PATIENCE_MS,
);

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}
