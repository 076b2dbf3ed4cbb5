import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { memoryStore } from '../store/memory.ts';
import type { JournalLog, Store } from '../store/port.ts';
import { openJournal } from './journal.ts';
import type { Journal } from './port.ts';

const CHAINS = 10;
const LENGTH = 8;

interface DyingStore {
  readonly journal: JournalLog;
  flush(): Promise<void>;
  kill(): void;
}

/** A store whose process dies after so many writes: later writes are never stored and never answered. */
function dyingStore(store: Store, writes: number): DyingStore {
  let left = writes;
  return {
    flush: () => store.flush(),
    journal: {
      read: (id) => store.journal.read(id),
      append: (...entry) => (left-- > 0 ? store.journal.append(...entry) : new Promise<never>(() => undefined)),
    },
    kill() {
      left = 0;
    },
  };
}

function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Waits a random number of rounds of the event loop: calls end in another order every time. */
async function latency(next: () => number): Promise<void> {
  for (let rounds = Math.floor(next() * 6); rounds > 0; rounds--) await new Promise((resolve) => setImmediate(resolve));
}

interface Counter {
  paid: number;
}

/** Runs all chains; each call depends on the answer before it. Every answer is unique, so a mixed-up one shows. */
async function runChains(journal: Journal, next: () => number, counter: Counter, tasks: boolean): Promise<string[]> {
  const chain = async (number: number): Promise<string> => {
    // The first request of every chain is the same: only its task says whose answer is whose.
    let text = tasks ? 'start' : `start ${number}`;
    for (let link = 0; link < LENGTH; link++) {
      await latency(next);
      const call = { kind: 'sub', turn: 1, command: 't1.0', request: { prompt: text } } as const;
      text = await journal.root.step(tasks ? { ...call, task: `${number}` } : call, async () => {
        await latency(next);
        return `${text.length < 200 ? text : text.slice(-100)} ${number}:${++counter.paid}`;
      });
    }
    return text;
  };
  return await Promise.all(Array.from({ length: CHAINS }, (_, number) => chain(number)));
}

const foreign = (text: string, number: number): boolean =>
  text.split(' ').some((word) => word.includes(':') && !word.startsWith(`${number}:`));

describe('10 parallel chains of 8 dependent calls', () => {
  it.each([true, false])(
    'killed and resumed 100 times, every answer belongs to its chain (tasks: %s)',
    async (tasks) => {
      const store = memoryStore();
      const next = random(7);
      const counter = { paid: 0 };
      for (let kill = 0; kill < 100; kill++) {
        const journal = await openJournal({ journalId: 'run', store: dyingStore(store, 2), clock: systemClock });
        const chains = runChains(journal, next, counter, tasks);
        await Promise.race([chains, latency(() => 0.99).then(() => latency(() => 0.99))]);
      }
      const journal = await openJournal({ journalId: 'run', store, clock: systemClock });
      const answers = await runChains(journal, next, counter, tasks);
      expect(answers.filter(foreign)).toEqual([]);
      const replay = await openJournal({ journalId: 'run', store, clock: systemClock });
      const paid = counter.paid;
      expect(await runChains(replay, next, counter, tasks)).toEqual(answers);
      expect(counter.paid).toBe(paid);
    },
  );

  it('gives the same answers whatever the order of the replay', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer(), fc.nat({ max: 100 }), async (seed, otherSeed, writes) => {
        const store = memoryStore();
        const counter = { paid: 0 };
        const process = dyingStore(store, writes);
        const dying = await openJournal({ journalId: 'run', store: process, clock: systemClock });
        await Promise.race([runChains(dying, random(seed), counter, true), latency(() => 4)]);
        process.kill();
        const first = await openJournal({ journalId: 'run', store, clock: systemClock });
        const answers = await runChains(first, random(seed), counter, true);
        const paid = counter.paid;
        const second = await openJournal({ journalId: 'run', store, clock: systemClock });
        expect(await runChains(second, random(otherSeed), counter, true)).toEqual(answers);
        expect(counter.paid).toBe(paid);
        expect(answers.filter(foreign)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});
