import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock.ts';
import { StoreError } from '../store/index.ts';
import { memoryStore } from '../store/memory.ts';
import { createEventBus, type EventBus } from './bus.ts';
import type { RunCompleted, RunEvent } from './event.ts';
import type { EventLog } from './event-log.ts';

const clock: Clock = { now: () => 0, schedule: () => () => undefined };

const completed: RunCompleted = {
  type: 'run.completed',
  outcome: 'converged',
  stop: 'final',
  turns: 1,
  subCalls: 0,
  inputTokens: 1,
  outputTokens: 1,
  costUsd: null,
  elapsedMs: 1,
  rootModel: 'm',
  subCallModel: 'm',
};

/** An event log whose writes are stored when the test says so. */
function slowLog(): { readonly events: EventLog; settle(error?: unknown): void } {
  const waiting: PromiseWithResolvers<void>[] = [];
  return {
    events: {
      ...memoryStore().events,
      append() {
        const write = Promise.withResolvers<void>();
        waiting.push(write);
        return write.promise;
      },
    },
    settle(error) {
      const write = waiting.shift();
      if (error === undefined) write?.resolve();
      else write?.reject(error);
    },
  };
}

async function all(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const got: RunEvent[] = [];
  for await (const event of events) got.push(event);
  return got;
}

function busWith(options: Partial<Parameters<typeof createEventBus>[0]> = {}): EventBus {
  return createEventBus({ runId: 'r', traceId: 'r', clock, store: memoryStore(), ...options });
}

describe('event bus', () => {
  it('numbers durable events without gaps and gives ephemeral ones the number before', () => {
    const seen: RunEvent[] = [];
    const bus = busWith({ onEvent: (event) => seen.push(event) });
    bus.emit({ type: 'turn.started', turn: 1 });
    bus.emit({ type: 'run.progress', turn: 1, maxTurns: 3, fraction: 0, status: 'asking the model' });
    bus.emit({ type: 'turn.completed', turn: 1, feedback: '', durationMs: 1 });
    bus.emit(completed);
    expect(seen.map((event) => [event.type, event.seq])).toEqual([
      ['turn.started', 1],
      ['run.progress', 1],
      ['turn.completed', 2],
      ['run.completed', 3],
    ]);
  });

  it('shows a durable event only once it is stored, and what follows it not before', async () => {
    const seen: string[] = [];
    const log = slowLog();
    const bus = busWith({ store: log, onEvent: (event) => seen.push(event.type) });
    bus.emit({ type: 'turn.started', turn: 1 });
    bus.emit({ type: 'cell.started', turn: 1, id: 't1.0' });
    expect(seen).toEqual([]);
    log.settle();
    await bus.flush();
    expect(seen).toEqual(['turn.started', 'cell.started']);
  });

  it('shows nothing unstored after a storage failure but the end of the run', async () => {
    const log = slowLog();
    const bus = busWith({ store: log });
    const got = all(bus.subscribe());
    bus.emit({ type: 'turn.started', turn: 1 });
    bus.emit({ type: 'turn.started', turn: 2 });
    log.settle();
    log.settle(new StoreError({ message: 'disk full' }));
    await expect(bus.flush()).rejects.toThrow('disk full');
    bus.emit({ type: 'turn.started', turn: 3 });
    bus.emit(completed);
    expect((await got).map((event) => event.type)).toEqual(['turn.started', 'run.completed']);
    expect(bus.failure).toBeInstanceOf(StoreError);
  });

  it('has one terminal record and emits nothing after it', async () => {
    const bus = busWith();
    bus.emit(completed);
    bus.emit({ type: 'turn.started', turn: 2 });
    expect(() => bus.emit(completed)).toThrow('completed twice');
    expect((await all(bus.subscribe())).map((event) => event.type)).toEqual(['run.completed']);
  });

  it('gives a late or slow subscriber every durable event and the count of the ephemeral ones it missed', async () => {
    const bus = busWith();
    const slow = bus.subscribe({ buffer: 2 });
    for (let turn = 1; turn <= 500; turn++) {
      bus.emit({ type: 'turn.started', turn });
      bus.emit({ type: 'run.progress', turn, maxTurns: 500, fraction: 0, status: '' });
    }
    bus.emit(completed);
    const events = await all(slow);
    expect(events.filter((event) => event.type === 'turn.started')).toHaveLength(500);
    expect(events.filter((event) => event.type === 'run.progress')).toHaveLength(2);
    expect(events.filter((event) => event.type === 'events.dropped').map((event) => event.count)).toEqual([498]);
    expect(await all(bus.subscribe())).toHaveLength(501);
  });

  it('shares the events of a tree', async () => {
    const seen: string[] = [];
    const bus = busWith({ onEvent: (event) => seen.push(event.runId) });
    const child = createEventBus({ runId: 'c', parentRunId: 'r', traceId: 'r', clock, parent: bus });
    const tree = all(bus.subscribe({ tree: true }));
    const own = all(bus.subscribe());
    const childs = all(child.subscribe());
    bus.emit({ type: 'turn.started', turn: 1 });
    child.emit({ type: 'turn.started', turn: 1 });
    child.emit(completed);
    bus.emit(completed);
    expect(seen).toEqual(['r', 'c', 'c', 'r']);
    expect((await tree).map((event) => `${event.runId}${event.seq}`)).toEqual(['r1', 'c1', 'c2', 'r2']);
    expect((await own).map((event) => event.runId)).toEqual(['r', 'r']);
    expect((await childs).map((event) => event.runId)).toEqual(['c', 'c']);
  });

  it('continues numbering after a resume and leaves out what the log already holds', async () => {
    const store = memoryStore();
    const first = busWith({ store });
    first.emit({ type: 'turn.started', turn: 1 });
    const again = busWith({ store, tail: await store.events.tail('r') });
    again.emit({ type: 'run.resumed', recordedSteps: 0, possiblyBilled: 0 });
    again.emit({ type: 'turn.started', turn: 1 });
    again.emit({ type: 'turn.started', turn: 2 });
    again.emit(completed);
    const log = await store.events.read('r');
    expect(log.map((event) => [event.seq, event.type])).toEqual([
      [1, 'turn.started'],
      [2, 'run.resumed'],
      [3, 'turn.started'],
      [4, 'run.completed'],
    ]);
  });

  it('survives a listener that throws', () => {
    const bus = busWith({
      onEvent: () => {
        throw new Error('broken listener');
      },
    });
    expect(() => bus.emit(completed)).not.toThrow();
  });

  it('survives a listener whose promise is rejected', async () => {
    const rejections: unknown[] = [];
    const onRejection = (error: unknown): unknown => rejections.push(error);
    process.on('unhandledRejection', onRejection);
    busWith({ onEvent: () => Promise.reject(new Error('broken later')) }).emit(completed);
    await setImmediate();
    process.off('unhandledRejection', onRejection);
    expect(rejections).toEqual([]);
  });

  it('ends a subscription that is left, and all of them on close', async () => {
    const bus = busWith();
    bus.emit({ type: 'turn.started', turn: 1 });
    for await (const event of bus.subscribe()) {
      expect(event.type).toBe('turn.started');
      break;
    }
    const waiting = all(bus.subscribe());
    bus.close();
    expect(await waiting).toHaveLength(1);
  });
});
