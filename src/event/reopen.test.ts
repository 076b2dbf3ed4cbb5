import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { memoryStore } from '../store/index.ts';
import { createEventBus } from './bus.ts';
import type { RunCompleted } from './event.ts';
import { reopenLog } from './reopen.ts';

const paused: RunCompleted = {
  ...{ type: 'run.completed', outcome: 'failed', stop: 'model-failure', reason: 'quota', turns: 1, subCalls: 0 },
  ...{ inputTokens: 1, outputTokens: 1, costUsd: null, elapsedMs: 1, rootModel: 'm', subCallModel: 'm' },
};

describe('the log of a run that continues', () => {
  it('loses the terminal record of its pause, so that it has one in the end', async () => {
    const store = memoryStore();
    const options = { runId: 'r', traceId: 'r', clock: systemClock, store };
    const first = createEventBus(options);
    first.emit({ type: 'turn.started', turn: 1 });
    first.emit(paused);
    const { tail, previous } = await reopenLog(store.events, 'r');
    expect(previous).toEqual({ outcome: 'failed', stop: 'model-failure', reason: 'quota' });
    const second = createEventBus({ ...options, tail });
    second.emit({ type: 'run.resumed', recordedSteps: 1, possiblyBilled: 0, ...(previous && { previous }) });
    second.emit({ type: 'turn.started', turn: 1 });
    second.emit({ ...paused, outcome: 'converged', stop: 'final' });
    const log = await store.events.read('r');
    expect(log.map((event) => [event.seq, event.type])).toEqual([
      [1, 'turn.started'],
      [2, 'run.resumed'],
      [3, 'run.completed'],
    ]);
  });

  it('of 0.1.0 has tool calls without ids: a replay of them is not logged twice', async () => {
    const store = memoryStore();
    const options = { runId: 'r', traceId: 'r', clock: systemClock, store };
    const call = { type: 'tool.completed', name: 'search', ok: true, durationMs: 1 } as const;
    createEventBus(options).emit(call);
    const again = createEventBus({ ...options, tail: await store.events.tail('r') });
    again.emit({ ...call, callId: 't1.0/tool/a' });
    again.emit({ ...call, callId: 't1.0/tool/b' });
    const third = createEventBus({ ...options, tail: await store.events.tail('r') });
    third.emit({ ...call, callId: 't1.0/tool/b' });
    third.emit({ ...call, callId: 't1.0/tool/a' });
    third.emit({ ...call, callId: 't1.0/tool/c' });
    const log = (await store.events.read('r')) as readonly { readonly callId?: string }[];
    expect(log.map(({ callId }) => callId)).toEqual([undefined, 't1.0/tool/b', 't1.0/tool/c']);
  });

  it('of a run that was killed stays as it is', async () => {
    const store = memoryStore();
    expect(await reopenLog(store.events, 'r')).toEqual({ tail: { lastSeq: 0, identities: [] } });
    createEventBus({ runId: 'r', traceId: 'r', clock: systemClock, store }).emit({ type: 'turn.started', turn: 1 });
    const { tail, previous } = await reopenLog(store.events, 'r');
    expect(tail).toEqual({ lastSeq: 1, identities: ['turn.started t1'] });
    expect(previous).toBeUndefined();
  });
});
