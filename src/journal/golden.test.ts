import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../clock.ts';
import { defined } from '../defined.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { CallAccount } from '../model/account.ts';
import type { Model } from '../model/port.ts';
import { type RunRecord, type Store, sqliteStore } from '../store/index.ts';
import { journalCalls } from './calls.ts';
import { createJournal, openJournal } from './journal.ts';
import type { Divergence, JournalScope, StepCall } from './port.ts';

/**
 * Stores written by released versions, one folder each: they have to be read and replayed for ever. To record a new
 * one, when a release changes what is written: `RECORD_GOLDEN=<name> vitest run src/journal/golden`.
 */
const GOLDEN = join(import.meta.dirname, 'golden');

const clock: Clock = { now: () => Date.UTC(2026, 0, 1), schedule: () => () => undefined };
const CONTEXT = 'The whale was white. '.repeat(500);
const REPLY = `I look.\n\`\`\`python\n${'x = llm_query("part of it")\n'.repeat(30)}\`\`\``;
const SHOWN = 'sperm whale, right whale, '.repeat(40);
const FEEDBACK = `t1.0 took 3 ms\n${SHOWN}\nturn 2 of 30`;
const model = { id: 'test/model' } as Model;
const signal = new AbortController().signal;
const account: CallAccount = {
  reserve: () => Promise.resolve({ settle: () => undefined, release: () => undefined }),
};

const sub = (request: string, task?: string): StepCall => ({
  ...{ kind: 'sub', turn: 1, command: 't1.0', request: { model: 'test/model', prompt: request } },
  ...defined({ task }),
});
const CHILD: StepCall = { kind: 'child', turn: 1, command: 't1.1', request: { query: 'deeper' } };
const TOOL: StepCall = { kind: 'tool', turn: 1, command: 't1.0', request: { name: 'search', args: { q: 'whale' } } };
const COMMAND = { id: 't1.0', source: REPLY.slice(18, -4), shown: SHOWN, ok: true };

/** The steps of the recorded process up to its kill: the second sub-call of the child was in flight. */
async function record(store: Store): Promise<void> {
  const context = await store.blobs.put(CONTEXT, 'run');
  await store.runs.put(runRecord([{ name: 'context', kind: 'text', blob: context }]));
  const { root } = createJournal({ journalId: 'run', store, clock });
  const paid = async <T>(scope: JournalScope, call: StepCall, value: T, failures = 0): Promise<T> =>
    await scope.step(call, async (step) => {
      for (let failed = 0; failed <= failures; failed++) {
        const paying = step.account(account);
        const reservation = await paying.reserve({ model, inputTokens: 40, maxOutputTokens: 9 }, signal);
        await reservation.sending?.();
        const usage = { inputTokens: 38, outputTokens: failed < failures ? 0 : 4, estimated: failed < failures };
        reservation.settle({ usage, ...(failed < failures && { possiblyBilled: true }) });
      }
      return value;
    });
  await paid(root, { kind: 'root', turn: 1 }, { text: REPLY, finishReason: 'stop' });
  await Promise.all(['0', '1', '2'].map((task) => paid(root, sub('same', task), `answer ${task}`)));
  await paid(root, sub('flaky'), 'after a retry', 1);
  await paid(root, sub('twice'), 'first');
  await paid(root, sub('twice'), 'second');
  await root.step(TOOL, async () => ({ value: ['sperm', 'right'] }));
  root.command(COMMAND);
  root.turn(1, FEEDBACK);
  const base = { v: 1, runId: 'run', traceId: 'run', time: '2026-01-01T00:00:00.000Z' } as const;
  const options = { identity: 'turn.completed t1', durability: 'written' } as const;
  await store.events.append(
    { ...base, seq: 1, type: 'turn.completed', turn: 1, feedback: FEEDBACK, durationMs: 3 },
    options,
  );
  const inFlight = Promise.withResolvers<void>();
  void root.step(CHILD, async (step) => {
    const { journal } = step.child('child-1');
    await paid(journal, { kind: 'root', turn: 1 }, { text: 'FINAL(1)' });
    return await journal.step(sub('deep'), async (inner) => {
      const reservation = await inner.account(account).reserve({ model, inputTokens: 77, maxOutputTokens: 9 }, signal);
      await reservation.sending?.();
      inFlight.resolve();
      return await new Promise<never>(() => undefined);
    });
  });
  await inFlight.promise;
}

function runRecord(contexts: RunRecord['request']['contexts']): RunRecord {
  return {
    ...{ id: 'run', traceId: 'run', depth: 0, status: 'running' },
    ...{ createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' },
    request: {
      ...{ query: 'Which whale?', contexts, rootModel: 'test/model', subModels: ['test/model'], tools: ['search'] },
      ...{ backend: 'python', limits: DEFAULT_LIMITS },
    },
  };
}

const never = (): Promise<never> => Promise.reject(new Error('must not run'));

async function replay(store: Store): Promise<void> {
  const run = await store.runs.get('run');
  expect(run).toMatchObject({ status: 'interrupted', request: { query: 'Which whale?', tools: ['search'] } });
  const [context] = run?.request.contexts ?? [];
  expect(context?.kind === 'text' && (await store.blobs.text(context.blob))).toBe(CONTEXT);
  const [event] = await store.events.read('run');
  expect(event).toMatchObject({ seq: 1, type: 'turn.completed', feedback: FEEDBACK, time: '2026-01-01T00:00:00.000Z' });
  const calls = journalCalls(await store.journal.read('run'));
  expect(calls.map(({ command, attempts }) => `${command} ${attempts}`)).toEqual([
    ...['t1.0 1', 't1.0 1', 't1.0 1', 't1.0 2', 't1.0 1', 't1.0 1', 't1.1 0', 't1.0 1'],
  ]);
  expect(calls.slice(-2)).toMatchObject([{ scope: '', childRunId: 'child-1' }, { model: 'test/model' }]);
  const { root, recovered } = await openJournal({ journalId: 'run', store, clock });
  const reported: Divergence[] = [];
  root.onDiverged((divergence) => reported.push(divergence));
  expect(await root.step({ kind: 'root', turn: 1 }, never)).toEqual({ text: REPLY, finishReason: 'stop' });
  for (const task of ['2', '0', '1']) expect(await root.step(sub('same', task), never)).toBe(`answer ${task}`);
  expect(await root.step(sub('flaky'), never)).toBe('after a retry');
  expect(await root.step(sub('twice'), never)).toBe('first');
  expect(await root.step(sub('twice'), never)).toBe('second');
  expect(await root.step(TOOL, never)).toEqual({ value: ['sperm', 'right'] });
  expect(root.command(COMMAND)).toBe('same');
  expect(root.turn(1, 'another')).toBe(FEEDBACK);
  const child = await root.step(CHILD, async (step) => {
    const { runId, journal, resumed } = step.child('new');
    expect({ runId, resumed }).toEqual({ runId: 'child-1', resumed: true });
    expect(await journal.step({ kind: 'root', turn: 1 }, never)).toEqual({ text: 'FINAL(1)' });
    return await journal.step(sub('deep'), async (inner) => `again: ${inner.again}`);
  });
  expect(child).toBe('again: true');
  expect(reported).toEqual([]);
  expect(recovered).toMatchObject({ steps: 9, subCalls: 8 });
  expect(recovered.attempts.filter((attempt) => attempt.inFlight)).toMatchObject([
    { kind: 'sub', attempt: 1, settlement: { usage: { inputTokens: 77, estimated: true }, possiblyBilled: true } },
  ]);
  expect(recovered.attempts.filter((attempt) => attempt.settlement.possiblyBilled === true)).toHaveLength(2);
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-golden-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('golden journals', () => {
  const { RECORD_GOLDEN: name } = process.env;
  it.runIf(name !== undefined)('are recorded', async () => {
    const store = sqliteStore(folder);
    await record(store);
    await store.close();
    const files = (path: string): boolean => !/writer\.|\.gitignore|tmp$/.test(path);
    cpSync(folder, join(GOLDEN, name ?? ''), { recursive: true, filter: files });
  });

  it.each(readdirSync(GOLDEN))('of %s are replayed', async (version) => {
    cpSync(join(GOLDEN, version), folder, { recursive: true });
    const store = sqliteStore(folder);
    await replay(store);
    await store.close();
  });

  it('of this code are replayed', async () => {
    const store = sqliteStore(folder);
    await record(store);
    await store.close();
    const again = sqliteStore(folder);
    await replay(again);
    await again.close();
  });
});
