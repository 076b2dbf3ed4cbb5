/** A run as other processes of a store see it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '../event/event.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { followRun, type RunRecord, type Store } from './index.ts';

/** A store under test. */
export interface Opened {
  readonly store: Store;
  /** Opens it again, where it survives that. */
  again(): Promise<Store>;
  /** Opens it a second time beside the first, as another process does. */
  beside(): Store;
  end(): Promise<void>;
}

export function event(seq: number, text: string): RunEvent {
  const base = { v: 1, runId: 'run', traceId: 'run', seq, time: '2026-01-01T00:00:00.123Z' } as const;
  return { ...base, type: 'turn.completed', turn: seq, feedback: text, durationMs: 1 };
}

export function run(id: string, more: Partial<RunRecord> = {}): RunRecord {
  return {
    ...{ id, traceId: id, depth: 0, status: 'completed', createdAt: `2026-01-01T00:00:0${id.slice(-1)}.000Z` },
    updatedAt: '2026-01-01T00:00:09.000Z',
    request: {
      ...{ query: `What is ${id}?`, contexts: [], rootModel: 'a/b', subModels: ['a/b'], tools: [] },
      ...{ backend: 'pyodide', limits: DEFAULT_LIMITS },
    },
    ...more,
  } as RunRecord;
}

export const written = { identity: undefined, durability: 'written' } as const;

/** A change reaches another process within seconds, also where the machine is busy. */
const WAIT = { timeout: 15_000 };

/** The cases of a run that another process works on. */
export function otherProcessConformance(open: () => Opened): void {
  describe('from another process', () => {
    let store: Store;
    let other: Store;
    beforeEach(() => {
      store = open().store;
      other = open().beside();
    });
    afterEach(() => other.close());

    it('a run is followed from its first event to its end', async () => {
      const seen: number[] = [];
      const locked = await store.lock('run run', 'the first');
      await store.runs.put(run('run', { status: 'running' }));
      await store.events.append(event(1, 'one'), written);
      const following = (async () => {
        for await (const { seq } of followRun(other, { runId: 'run' })) seen.push(seq);
      })();
      await vi.waitFor(() => expect(seen).toEqual([1]), WAIT);
      await store.events.append(event(2, 'two'), written);
      await store.events.append(event(3, 'three'), written);
      await vi.waitFor(() => expect(seen).toEqual([1, 2, 3]), WAIT);
      await store.runs.put(run('run'));
      await following;
      if (locked.ok) locked.lock.release();
    });

    it('is followed only as long as it is asked for, and patiently where another process may take the run over', async () => {
      await store.runs.put(run('run', { status: 'queued' }));
      const stop = new AbortController();
      const following = (async () => {
        for await (const _ of followRun(other, { runId: 'run', patient: true, signal: stop.signal }));
      })();
      const impatient = followRun(other, { runId: 'run' });
      expect(await impatient.next()).toMatchObject({ done: true, value: { status: 'queued' } });
      stop.abort();
      await following;
      expect(await followRun(other, { runId: 'none', patient: true }).next()).toEqual({ done: true });
    });

    it('gives the events of a run that takes its end back and continues', async () => {
      const ends = (seq: number, time: string): RunEvent =>
        ({ ...event(seq, ''), type: 'run.completed', time }) as unknown as RunEvent;
      await store.runs.put(run('run', { status: 'queued' }));
      await store.events.append(event(1, 'one'), written);
      await store.events.append(ends(2, '2026-01-01T00:00:01.000Z'), written);
      const seen: string[] = [];
      const following = (async () => {
        for await (const { seq, type } of followRun(other, { runId: 'run', patient: true }))
          seen.push(`${seq} ${type}`);
      })();
      await vi.waitFor(() => expect(seen).toHaveLength(2), WAIT);
      await store.events.truncate('run', 2);
      await store.events.append(event(2, 'again'), written);
      await store.events.append(ends(3, '2026-01-01T00:00:02.000Z'), written);
      await vi.waitFor(() => expect(seen).toHaveLength(4), WAIT);
      await store.runs.put(run('run'));
      await following;
      expect(seen).toEqual(['1 turn.completed', '2 run.completed', '2 turn.completed', '3 run.completed']);
    });

    it('a run is asked to end, before and after its process listens', async () => {
      const asked: unknown[] = [];
      await other.stops.put('before', { action: 'finish', reason: 'enough' });
      const ends = ['before', 'after'].map((id) => store.stops.watch(id, (request) => asked.push([id, request])));
      await vi.waitFor(() => expect(asked).toContainEqual(['before', { action: 'finish', reason: 'enough' }]), WAIT);
      await other.stops.put('after', { action: 'cancel', reason: 'no more' });
      await other.stops.put('elsewhere', { action: 'cancel', reason: 'no more' });
      await vi.waitFor(() => expect(asked).toContainEqual(['after', { action: 'cancel', reason: 'no more' }]), WAIT);
      expect(asked.flat()).not.toContain('elsewhere');
      expect(await store.stops.get('after')).toEqual({ action: 'cancel', reason: 'no more' });
      await store.stops.delete('after');
      expect(await other.stops.get('after')).toBeUndefined();
      for (const end of ends) end();
    });

    it('the holder of a lock is known', async () => {
      expect(await other.holder('run r1')).toBeUndefined();
      const locked = await store.lock('run r1', 'the first');
      expect(await other.holder('run r1')).toMatchObject({ heldBy: 'the first' });
      if (locked.ok) locked.lock.release();
      await store.flush();
      expect(await other.holder('run r1')).toBeUndefined();
    });
  });
}
