import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock.ts';
import type { CallAccount, Reservation, Settlement } from '../model/account.ts';
import type { Model } from '../model/port.ts';
import { memoryStore } from '../store/memory.ts';
import type { JournalLog, Store } from '../store/port.ts';
import { createJournal, openJournal } from './journal.ts';
import type { Divergence, Journal, StepCall } from './port.ts';

const clock: Clock = { now: () => 0, schedule: () => () => undefined };
const model = { id: 'test/model' } as Model;
const estimate = { model, inputTokens: 100, maxOutputTokens: 50 };
const usage = { inputTokens: 90, outputTokens: 10, estimated: false };
const signal = new AbortController().signal;

function account(booked: Settlement[] = []): CallAccount {
  return {
    reserve: () => Promise.resolve({ settle: (settlement) => void booked.push(settlement), release: () => undefined }),
  };
}

const open = (store: Store): Promise<Journal> => openJournal({ journalId: 'run', store, clock });
const sub = (request: unknown, more: Partial<StepCall> = {}): StepCall => ({
  kind: 'sub',
  turn: 1,
  command: 't1.0',
  request,
  ...more,
});
const never = (): Promise<never> => Promise.reject(new Error('must not run'));

describe('step', () => {
  it('runs once and replays the record', async () => {
    const store = memoryStore();
    const { root } = createJournal({ journalId: 'run', store, clock });
    expect(await root.step(sub('q'), async () => ({ text: 'a' }))).toEqual({ text: 'a' });
    const again = await open(store);
    expect(again.recovered.steps).toBe(1);
    expect(again.root.recordedSteps).toBe(1);
    expect(await again.root.step(sub('q'), never)).toEqual({ text: 'a' });
    expect(again.root.recordedSteps).toBe(0);
  });

  it('is recorded before anybody sees its result', async () => {
    const write = Promise.withResolvers<void>();
    const journal: JournalLog = { append: () => write.promise, read: () => Promise.resolve([]) };
    const { root } = createJournal({ journalId: 'run', clock, store: { journal, flush: () => Promise.resolve() } });
    let seen = false;
    const step = root.step(sub('q'), async () => 'a').then(() => (seen = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toBe(false);
    write.resolve();
    await step;
    expect(seen).toBe(true);
  });

  it('distinguishes equal requests by their order, their task and their position', async () => {
    const store = memoryStore();
    const { root } = createJournal({ journalId: 'run', store, clock });
    const calls = [sub('q'), sub('q'), sub('q', { task: '1' }), sub('q', { command: 't1.1' }), sub('p')];
    for (const [index, call] of calls.entries()) await root.step(call, async () => index);
    const again = await open(store);
    // Everything but the two equal ones in another order.
    for (const index of [4, 3, 2, 0, 1]) {
      const call = calls[index];
      if (call !== undefined) expect(await again.root.step(call, never)).toBe(index);
    }
  });

  it('knows a root call by its turn alone, whatever its volatile messages say', async () => {
    const store = memoryStore();
    const { root } = createJournal({ journalId: 'run', store, clock });
    await root.step({ kind: 'root', turn: 2, request: '5 s left' }, async () => 'reply');
    const again = await open(store);
    expect(await again.root.step({ kind: 'root', turn: 2, request: '4 s left' }, never)).toBe('reply');
  });

  it('does not record what is thrown, and the next equal request takes its place in a replay', async () => {
    const store = memoryStore();
    const { root } = createJournal({ journalId: 'run', store, clock });
    const failing = root.step(sub('q'), async (step) => {
      (await sent(step.account(account()))).settle({ usage, possiblyBilled: true });
      throw new Error('cancelled');
    });
    await expect(failing).rejects.toThrow('cancelled');
    await root.step(sub('q'), async () => 'second');
    const again = await open(store);
    expect(await again.root.step(sub('q'), never)).toBe('second');
    expect(again.recovered.attempts).toMatchObject([{ attempt: 1, inFlight: false, settlement: { usage } }]);
  });

  it('is refused, and nothing is written, where only what is recorded is answered', async () => {
    const store = memoryStore();
    const first = createJournal({ journalId: 'run', store, clock });
    await first.root.step(sub('q'), async () => 'a');
    first.root.turn(1, 'fed back');
    const entries = await store.journal.read('run');

    const replay = await openJournal({ journalId: 'run', store, clock, unrecorded: 'refuse' });
    expect(await replay.root.step(sub('q'), never)).toBe('a');
    await expect(replay.root.step(sub('q'), never)).rejects.toMatchObject({ code: 'cancelled' });
    await expect(replay.root.step({ kind: 'root', turn: 2 }, never)).rejects.toMatchObject({
      message: 'This call is not in the journal; a replay makes no new calls.',
    });
    expect([replay.root.turn(1, 'other'), replay.root.turn(2, 'new')]).toEqual(['fed back', 'new']);
    expect(await store.journal.read('run')).toEqual(entries);

    replay.unrecorded = 'run';
    expect(await replay.root.step(sub('other'), async () => 'b')).toBe('b');
    expect(await store.journal.read('run')).toHaveLength(entries.length + 1);
  });

  it('says its key before it runs, and before its record is returned', async () => {
    const store = memoryStore();
    const keys: string[] = [];
    const call = { ...sub('q'), onKey: (key: string) => keys.push(key) };
    await createJournal({ journalId: 'run', store, clock }).root.step(call, async (step) => step.key);
    const recorded = await (await open(store)).root.step(call, never);
    expect(keys).toEqual([recorded, recorded]);
  });
});

describe('attempts', () => {
  it('are on record before they are sent, and booked where the account says', async () => {
    const store = memoryStore();
    const booked: Settlement[] = [];
    const { root } = createJournal({ journalId: 'run', store, clock });
    await root.step(sub('q'), async (step) => {
      const paying = step.account(account(booked));
      const first = await sent(paying);
      expect((await store.journal.read('run')).map((entry) => entry.kind)).toEqual(['begin']);
      first.settle({ usage, possiblyBilled: true });
      (await sent(paying)).settle({ usage });
      return 'a';
    });
    expect(booked).toHaveLength(2);
    expect((await store.journal.read('run')).map((entry) => entry.kind)).toEqual(['begin', 'settle', 'begin', 'step']);
    const { recovered } = await open(store);
    expect(recovered.subCalls).toBe(1);
    expect(recovered.attempts.map((each) => [each.attempt, each.settlement.possiblyBilled ?? false])).toEqual([
      [1, true],
      [2, false],
    ]);
  });

  it('in flight at a kill are possibly billed once, and their step runs again', async () => {
    const store = memoryStore();
    const { root } = createJournal({ journalId: 'run', store, clock });
    void root.step(sub('q'), async (step) => {
      await sent(step.account(account()));
      return await new Promise<never>(() => undefined);
    });
    await new Promise((resolve) => setImmediate(resolve));
    for (let round = 0; round < 2; round++) {
      const { recovered } = await open(store);
      const expected = { usage: { inputTokens: 100, outputTokens: 50, estimated: true }, possiblyBilled: true };
      expect(recovered.attempts).toMatchObject([{ inFlight: true, model: 'test/model', settlement: expected }]);
    }
    const again = await open(store);
    const answer = again.root.step(sub('q'), async (step) => {
      expect(step.again).toBe(true);
      (await sent(step.account(account()))).settle({ usage });
      return 'a';
    });
    expect(await answer).toBe('a');
    const last = await open(store);
    expect(last.recovered.subCalls).toBe(1);
    expect(last.recovered.attempts.map((each) => [each.attempt, each.inFlight])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(await last.root.step(sub('q'), never)).toBe('a');
  });

  it('that were never sent leave nothing to pay', async () => {
    const store = memoryStore();
    const { root } = createJournal({ journalId: 'run', store, clock });
    const step = root.step(sub('q'), async (each) => {
      (await each.account(account()).reserve(estimate, signal)).release();
      throw new Error('no slot');
    });
    await expect(step).rejects.toThrow('no slot');
    expect((await open(store)).recovered).toMatchObject({ attempts: [], subCalls: 0 });
  });
});

describe('children', () => {
  it('keep their run id and their part of the journal until they are done', async () => {
    const store = memoryStore();
    const call: StepCall = { kind: 'child', turn: 1, command: 't1.0', request: { query: 'q' } };
    const { root } = createJournal({ journalId: 'run', store, clock });
    void root.step(call, async (step) => {
      const child = step.child('child-1');
      expect(child).toMatchObject({ runId: 'child-1', resumed: false });
      await child.journal.step({ kind: 'root', turn: 1 }, async () => 'reply');
      return await new Promise<never>(() => undefined);
    });
    await new Promise((resolve) => setImmediate(resolve));
    const again = await open(store);
    expect(again.recovered.subCalls).toBe(1);
    const result = again.root.step(call, async (step) => {
      expect(step.again).toBe(true);
      const child = step.child('child-2');
      expect(child).toMatchObject({ runId: 'child-1', resumed: true });
      expect(child.journal.recordedSteps).toBe(1);
      return await child.journal.step({ kind: 'root', turn: 1 }, never);
    });
    expect(await result).toBe('reply');
    expect(await (await open(store)).root.step(call, never)).toBe('reply');
  });
});

describe('commands and turns', () => {
  const command = { id: 't1.0', source: 'print(1)', shown: '1', ok: true };

  async function replay(): Promise<{ journal: Journal; reported: Divergence[] }> {
    const store = memoryStore();
    const { root } = createJournal({ journalId: 'run', store, clock });
    await root.step(sub('q'), async () => 'a');
    expect(root.command(command)).toBe('live');
    expect(root.turn(1, '1 (3 ms)')).toBe('1 (3 ms)');
    const journal = await open(store);
    const reported: Divergence[] = [];
    journal.root.onDiverged((divergence) => reported.push(divergence));
    return { journal, reported };
  }

  it('are the same in a faithful replay, with the feedback the model saw', async () => {
    const { journal, reported } = await replay();
    expect(journal.root.recordedCommand('t1.0')).toMatchObject({ id: 't1.0', source: 'print(1)', timedOut: false });
    await journal.root.step(sub('q'), never);
    expect(journal.root.command(command)).toBe('same');
    expect(journal.root.turn(1, '1 (4 ms)')).toBe('1 (3 ms)');
    expect(journal.root.turn(2, 'new')).toBe('new');
    expect(reported).toEqual([]);
  });

  it('report where a replay prints something else, asks for something else, or asks for less', async () => {
    const { journal, reported } = await replay();
    await journal.root.step(sub('other'), async () => 'b');
    expect(journal.root.command({ ...command, shown: '2' })).toBe('diverged');
    expect(reported.map((each) => each.message)).toEqual([
      'Replaying t1.0: it made a call that is not recorded.',
      'Replaying t1.0: its output differs from the recorded output; it did not ask for 1 recorded result.',
    ]);
  });
});

/** Reserves, and is about to send. */
async function sent(paying: CallAccount): Promise<Reservation> {
  const reservation = await paying.reserve(estimate, signal);
  await reservation.sending?.();
  return reservation;
}
