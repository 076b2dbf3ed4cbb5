import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  CompletionError,
  type CompletionRun,
  createRlm,
  type ReplChoice,
  type Rlm,
  type RlmOptions,
  type RunEvent,
  sqliteStore,
} from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell, rlmOf } from './harness.ts';

/** Runs whose model answers when it is let go, and the events of all of them. */
function held(options: Partial<RlmOptions>): {
  readonly rlm: Rlm;
  readonly events: RunEvent[];
  readonly letGo: (query: string) => void;
  readonly asked: string[];
  readonly seen: (matches: (event: RunEvent) => boolean) => Promise<void>;
} {
  const events: RunEvent[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const gate = (query: string): PromiseWithResolvers<void> => {
    const known = gates.get(query) ?? Promise.withResolvers<void>();
    gates.set(query, known);
    return known;
  };
  const asked: string[] = [];
  const watchers = new Set<() => void>();
  const look = (): void => {
    for (const watcher of watchers) watcher();
  };
  const model = scriptedModel(
    async ({ messages }) => {
      const query = /Query:\n(\S+)/.exec(messages.map(({ content }) => content).join('\n'))?.[1] ?? '';
      asked.push(query);
      look();
      await gate(query).promise;
      return `FINAL(${query})`;
    },
    { modelId: 'root' },
  );
  const rlm = rlmOf({
    model,
    requireInspection: false,
    ...options,
    onEvent: (event) => {
      events.push(event);
      look();
    },
  });
  return {
    ...{ rlm, events, asked, letGo: (query) => gate(query).resolve() },
    seen: (matches) =>
      new Promise((resolve) => {
        const watcher = (): void => {
          if (events.some(matches)) resolve();
        };
        watchers.add(watcher);
        watcher();
      }),
  };
}

const queued = (run: CompletionRun<unknown>) => (event: RunEvent) =>
  event.type === 'run.queued' && event.runId === run.id;
const started = (run: CompletionRun<unknown>) => (event: RunEvent) =>
  event.type === 'run.started' && event.runId === run.id;
async function failureOf(run: CompletionRun<unknown>): Promise<CompletionError> {
  try {
    await run;
  } catch (error) {
    if (error instanceof CompletionError) return error;
    throw error;
  }
  throw new Error('the run was expected to fail');
}

describe('runs above maxRepls', () => {
  it('wait in the order they came, and say so', async () => {
    const { rlm, events, letGo, seen, asked } = held({ maxRepls: 1 });
    const runs = ['a', 'b', 'c'].map((query) => rlm.completion({ query }));
    const [a, b, c] = runs as [CompletionRun, CompletionRun, CompletionRun];
    await Promise.all([seen(started(a)), seen(queued(c))]);
    const positions = events.flatMap((event) => (event.type === 'run.queued' ? [[event.runId, event.position]] : []));
    expect(positions).toEqual([
      [b.id, 1],
      [c.id, 2],
    ]);
    expect(events.some(started(b))).toBe(false);
    for (const query of ['c', 'b', 'a']) letGo(query);
    expect((await Promise.all(runs)).map(({ answer }) => answer)).toEqual(['a', 'b', 'c']);
    expect(asked).toEqual(['a', 'b', 'c']);
  });

  it('above the limit of the queue are refused at once, with figures, and nothing of them is kept', async () => {
    const { rlm, letGo, seen, events } = held({ maxRepls: 1, maxQueuedRuns: 1 });
    const a = rlm.completion({ query: 'a' });
    await seen(started(a));
    const b = rlm.completion({ query: 'b' });
    await seen(queued(b));
    const refused = await failureOf(rlm.completion({ query: 'c' }));
    expect(refused).toMatchObject({
      code: 'overloaded',
      retryable: true,
      resumable: false,
      data: { limit: 'maxQueuedRuns', maxRepls: 1, maxQueuedRuns: 1, queued: 1 },
    });
    expect(refused.data.retryAfterMs).toBeGreaterThan(0);
    expect(events.filter(({ runId }) => runId === refused.result.runId).map(({ type }) => type)).toEqual([
      'run.completed',
    ]);
    letGo('a');
    letGo('b');
    await Promise.all([a, b]);
    // The same request succeeds later.
    letGo('c');
    expect((await rlm.completion({ query: 'c' })).answer).toBe('c');
  });

  it('end at once when they are cancelled, finished or out of time, and give their place in the queue up', async () => {
    const { rlm, letGo, seen } = held({ maxRepls: 1 });
    const a = rlm.completion({ query: 'a' });
    await seen(started(a));
    const cancelled = rlm.completion({ query: 'b' });
    await seen(queued(cancelled));
    const finished = rlm.completion({ query: 'c' });
    await seen(queued(finished));
    const late = rlm.completion({ query: 'd', limits: { maxDurationMs: 300 } });
    const last = rlm.completion({ query: 'e' });
    await seen(queued(last));
    cancelled.cancel('not needed');
    finished.finish();
    expect(await failureOf(cancelled)).toMatchObject({
      code: 'cancelled',
      result: { outcome: 'aborted', stop: 'cancelled' },
    });
    expect(await finished).toMatchObject({ outcome: 'exhausted', stop: 'finish-requested', turns: 0 });
    expect(await late).toMatchObject({ outcome: 'exhausted', stop: 'time-limit', turns: 0 });
    letGo('e');
    letGo('a');
    expect([(await a).answer, (await last).answer]).toEqual(['a', 'e']);
  });

  it('are found interrupted when their process is killed, and can be resumed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fathom-queue-'));
    try {
      const model = `scripted:${join(folder, 'replies.json')}`;
      writeFileSync(join(folder, 'replies.json'), JSON.stringify([cell('import time', 'time.sleep(600)')]));
      const path = new URL('./queued-run.ts', import.meta.url).pathname;
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path, folder, model], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const id = line.toString().trim();
      child.kill('SIGKILL');
      await once(child, 'exit');
      const store = sqliteStore(folder);
      const record = await store.runs.get(id);
      expect(record?.status).toBe('interrupted');
      writeFileSync(join(folder, 'replies.json'), JSON.stringify(['FINAL("resumed")']));
      await using rlm = createRlm({
        model,
        store,
        repl: (process.env.FATHOM_TEST_REPL ?? 'auto') as ReplChoice,
        requireInspection: false,
      });
      expect((await rlm.resume(id)).text).toBe('resumed');
      await rlm.close();
      await store.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('children', () => {
  it.each([1, 2, 3])('end with maxRepls %d, although all their parents wait for them', async (maxRepls) => {
    const grandchild = cell('FINAL("g")');
    const child = cell('FINAL("".join(rlm_query_batched(["g1", "g2"])))');
    const root = cell('FINAL("".join(rlm_query_batched(["c1", "c2", "c3"])))');
    const replies: Record<string, string> = { r: root, c: child, g: grandchild };
    const model = scriptedModel(({ messages }) => {
      const query = /Query:\n(\S)/.exec(messages.map(({ content }) => content).join('\n'))?.[1] ?? '';
      return replies[query] ?? 'FINAL("?")';
    });
    const rlm = rlmOf({ model, maxRepls, limits: { maxDepth: 3 } });
    const runs = await Promise.all(['r1', 'r2', 'r3'].map((query) => rlm.completion({ query })));
    expect(runs.map(({ text }) => text)).toEqual(['gggggg', 'gggggg', 'gggggg']);
  });
});

describe('sessions', () => {
  it('have at most half of all REPLs, idle ones too', async () => {
    const rlm = rlmOf({ model: scriptedModel(() => 'FINAL(1)'), maxRepls: 2, requireInspection: false });
    const session = await rlm.createSession();
    await expect(rlm.createSession()).rejects.toMatchObject({
      code: 'overloaded',
      retryable: true,
      data: { limit: 'maxRepls', maxRepls: 2, sessions: 1, maxSessions: 1 },
    });
    expect((await rlm.completion({ query: 'q' })).text).toBe('1');
    await session.close();
    await (await rlm.createSession()).close();
  });

  it('get REPLs for the children of their cells, and give them back', async () => {
    const model = scriptedModel(() => cell('FINAL("child")'));
    const rlm = rlmOf({ model, maxRepls: 2, limits: { maxDepth: 2 } });
    await using session = await rlm.createSession();
    for (let round = 0; round < 2; round += 1) {
      const { value, error } = await session.execute('"".join(rlm_query_batched(["a", "b", "c"]))');
      expect({ value, error }).toEqual({ value: "'childchildchild'", error: null });
    }
    // All that the session had beside its own REPL is free again.
    expect((await rlm.completion({ query: 'q' })).text).toBe('child');
    expect((await session.completion({ query: 'q' })).text).toBe('child');
  });
});

describe('the options', () => {
  it.each([{ maxRepls: 0 }, { maxRepls: 1.5 }, { maxQueuedRuns: -1 }, { maxQueuedRuns: '3' as unknown as number }])(
    '%o is refused',
    (options) => {
      expect(() => createRlm({ model: scriptedModel(() => ''), ...options })).toThrow(/whole number/);
    },
  );
});
