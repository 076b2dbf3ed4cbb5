import { expect, it } from 'vitest';
import { memoryStore, type RunRecord } from '../store/index.ts';
import { newestRuns } from './newest-runs.ts';

/** A run of an owner, the older the higher its number. */
function record(name: string, number: number): RunRecord {
  const createdAt = new Date(Date.UTC(2026, 0, 1) - number * 1_000).toISOString();
  return {
    ...{
      id: `${name}-${number}`,
      traceId: `${name}-${number}`,
      depth: 0,
      status: 'completed',
      createdAt,
      updatedAt: createdAt,
    },
    owner: { door: 'mcp', name, detached: true },
    request: { query: 'q' },
  } as unknown as RunRecord;
}

it('finds the runs of a client behind any number of others, newest first, and no more than asked for', async () => {
  const store = memoryStore({ keepRuns: 1_000 });
  for (let number = 0; number < 200; number += 1) await store.runs.put(record('busy', number));
  for (let number = 200; number < 210; number += 1) await store.runs.put(record('quiet', number));
  const asked: number[] = [];
  const runs = {
    ...store.runs,
    list: (filter: { readonly limit?: number } = {}) => {
      asked.push(filter.limit ?? 0);
      return store.runs.list(filter);
    },
  } as typeof store.runs;
  const of = (name: string, count: number) =>
    newestRuns({ runs }, { count, mine: ({ owner }) => owner?.name === name });
  const quiet = await of('quiet', 3);
  expect(quiet.map(({ id }) => id)).toEqual(['quiet-200', 'quiet-201', 'quiet-202']);
  expect(asked).toEqual([12, 48, 192, 768]);
  expect(await of('quiet', 50)).toHaveLength(10);
  asked.length = 0;
  expect(await of('busy', 5)).toHaveLength(5);
  expect(asked).toEqual([20]);
  expect(await of('absent', 1)).toEqual([]);
});
