/** A REPL that is killed on a worker: its child is replayed there, as a run of this process is here. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Cluster, connectCluster } from '../../src/cluster/index.ts';
import { createRlm, type RlmOptions, type RunEvent } from '../../src/index.ts';
import { checkEvents } from '../engine/check-events.ts';
import { findPython } from '../repl-conformance/plain-python.ts';
import { isOfChild } from '../resume/kill-script.ts';
import { descendantsOf, killed } from '../resume/processes.ts';
import { NO_REDIS } from '../servers/redis-server.ts';
import { useServers } from './use-servers.ts';

const MISSING = NO_REDIS ?? (findPython().path === undefined ? 'no Python' : undefined);
if (MISSING !== undefined) console.warn(`The tests of REPLs lost on workers are skipped: ${MISSING}`);

const WORKER = fileURLToPath(new URL('./worker-process.ts', import.meta.url));
const OPTIONS = {
  model: 'openai/gpt-5',
  subModel: 'openai/gpt-5-mini',
  limits: { maxDepth: 2 },
} as const satisfies RlmOptions;

describe.skipIf(MISSING !== undefined)('a REPL that is killed on a worker', () => {
  const servers = useServers();
  let cluster: Cluster;
  let worker: ChildProcess;
  let made = 0;
  beforeEach(async () => {
    const queue = `lost-${++made}`;
    cluster = await connectCluster({ redis: servers.redis.url, queue });
    worker = spawn(process.execPath, ['--no-warnings', WORKER, servers.redis.url, queue, '15000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    if (worker.stdout !== null) createInterface({ input: worker.stdout }).on('line', (line) => lines.push(line));
    await vi.waitFor(() => expect(lines).toContain('ready'), { timeout: 60_000 });
  }, 90_000);
  afterEach(async () => {
    worker.kill('SIGKILL');
    await cluster.close();
  });

  /** Answers a root with one child, whose turns are given. */
  function respondWith(turns: readonly string[], flat: (prompt: string) => Promise<string>): Map<string, number> {
    const asked = new Map<string, number>();
    servers.mock.respondWith(async ({ system, messages, prompt }) => {
      if (!system.includes('You answer a query')) {
        asked.set(prompt, (asked.get(prompt) ?? 0) + 1);
        return { text: await flat(prompt) };
      }
      const isChild = isOfChild(messages);
      const turn = messages.filter(({ role }) => role === 'assistant').length;
      if (messages.at(-1)?.content.includes('The REPL was restarted') === true) asked.set('restart reported', 1);
      return { text: isChild ? (turns[turn] ?? 'FINAL("lost")') : cell(`FINAL(rlm_query('CHILD', 'its context'))`) };
    });
    return asked;
  }
  const cell = (...lines: readonly string[]): string => `\`\`\`repl\n${lines.join('\n')}\n\`\`\``;

  it('from outside is replaced, and only what was in flight is paid again', async () => {
    let armed = true;
    const turns = [
      cell('first = llm_query("one")', 'second = llm_query("two")'),
      cell('FINAL(first + second + context)'),
    ];
    const asked = respondWith(turns, async (prompt) => {
      if (prompt === 'two' && armed) {
        armed = false;
        for (const pid of await descendantsOf(worker.pid ?? 0)) killed(pid);
      }
      return prompt.toUpperCase();
    });
    const events: RunEvent[] = [];
    await using rlm = createRlm({ ...OPTIONS, cluster, onEvent: (event) => events.push(event) });
    const { answer, usage } = await rlm.completion({ query: 'ROOT', context: 'a context' });
    expect(answer).toBe('ONETWOits context');
    const { one, two = 0 } = Object.fromEntries(asked);
    expect(one).toBe(1);
    // Its answer may have arrived before the loss.
    expect([1, 2]).toContain(two);
    expect(usage.possiblyBilled).toBe(two - 1);
    const restarts = events.filter(({ type }) => type === 'repl.restarted');
    expect(restarts.length).toBeGreaterThanOrEqual(1);
    expect(checkEvents(events)).toEqual([]);
  }, 120_000);

  it('by its own cell is reported to the model the second time, and its calls are not repeated', async () => {
    const turns = [
      cell('print(context)'),
      cell('import os', 'llm_query("before")', 'os.kill(os.getpid(), 9)'),
      cell('FINAL("reported")'),
    ];
    const asked = respondWith(turns, async () => 'ok');
    await using rlm = createRlm({ ...OPTIONS, cluster });
    const { answer } = await rlm.completion({ query: 'ROOT', context: 'a context' });
    expect(answer).toBe('reported');
    expect(Object.fromEntries(asked)).toEqual({ before: 1, 'restart reported': 1 });
  }, 120_000);
});
