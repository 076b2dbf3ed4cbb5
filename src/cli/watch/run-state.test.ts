import { describe, expect, test } from 'vitest';
import type { EventBody, RunEvent } from '../../event/event.ts';
import { columnsIn } from '../screen/layout.ts';
import { eventOf } from '../screen/testing.ts';
import { progressLine } from './progress-line.ts';
import { INITIAL_STATE, nextState } from './run-state.ts';

const SUB_CALL = { kind: 'llm', model: 'm', depth: 1, promptChars: 10, commandId: 't2.0' } as const;
const DONE = { kind: 'llm', model: 'm', inputTokens: 1, outputTokens: 1, costUsd: 0, durationMs: 5 } as const;

function started(callId: string): EventBody {
  return { type: 'subcall.started', callId, ...SUB_CALL };
}

function usage(tokens: number, costUsd: number | null): Extract<EventBody, { type: 'usage.recorded' }> {
  return {
    type: 'usage.recorded',
    model: 'm',
    purpose: 'sub',
    depth: 1,
    attempt: 1,
    ok: true,
    inputTokens: tokens,
    outputTokens: 10,
    costUsd,
    estimated: false,
    possiblyBilled: false,
  };
}

function after(...events: readonly RunEvent[]) {
  return events.reduce(nextState, INITIAL_STATE);
}

const PROGRESS: EventBody = { type: 'run.progress', turn: 2, maxTurns: 30, fraction: 0.03, status: 'running code' };

test('the line says turn, what is done, sub-calls, tokens, money and time', () => {
  const state = after(
    eventOf(PROGRESS),
    eventOf(started('c1')),
    eventOf(started('c2')),
    eventOf({ type: 'subcall.completed', callId: 'c1', ok: false, ...DONE }),
    eventOf(usage(12_000, 0.0123)),
  );
  expect(progressLine(state, 4_000)).toBe(
    '0:04 turn 2/30 · running code · 1 of 2 sub-calls (1 failed) · 12.0k tokens · $0.012',
  );
});

test('a new command counts its own sub-calls; the run counts all', () => {
  const state = after(
    eventOf(started('c1')),
    eventOf({ type: 'subcall.completed', callId: 'c1', ok: true, ...DONE }),
    eventOf({ type: 'command.parsed', turn: 3, id: 't3.0', command: { type: 'cell', code: '1' } }),
    eventOf(started('c2')),
  );
  expect(state.subCalls).toEqual({ running: 1, done: 0, failed: 0 });
  expect(state.allSubCalls).toBe(2);
});

test('a call that a limit refused does not count as a sub-call of the run', () => {
  const state = after(
    ...['c1', 'c2'].map((id) => eventOf(started(id))),
    eventOf({ type: 'subcall.completed', callId: 'c1', ok: true, ...DONE }),
    eventOf({ type: 'subcall.completed', callId: 'c2', ok: false, code: 'budget', ...DONE }),
  );
  expect(state).toMatchObject({ subCalls: { done: 2, failed: 1 }, allSubCalls: 1 });
});

test('tokens of children count; their turns do not', () => {
  const state = after(
    eventOf(PROGRESS),
    eventOf({ type: 'run.progress', turn: 9, maxTurns: 30, fraction: 0.3, status: 'asking the model' }, 'child'),
    eventOf(usage(100, 0.5), 'child'),
  );
  expect(state).toMatchObject({ turn: 2, doing: 'running code', tokens: 110, costUsd: 0.5 });
});

describe('the line of a terminal', () => {
  const item = (at: number): RunEvent =>
    eventOf({ type: 'subcall.started', callId: `c${at}`, ...SUB_CALL, batch: { id: 1, count: 24 } });

  test('counts a batch from its first item', () => {
    const done: EventBody = { type: 'subcall.completed', callId: 'c1', ok: true, ...DONE };
    const eight = [1, 2, 3, 4, 5, 6, 7, 8].map(item);
    expect(progressLine(after(eventOf(PROGRESS), ...eight, eventOf(done)), 0)).toContain('1 of 24 sub-calls');
    const two = { ...SUB_CALL, batch: { id: 2, count: 10 } };
    const more = eventOf({ type: 'subcall.started', callId: 'd1', ...two });
    expect(progressLine(after(...eight, eventOf(done), more, eventOf(started('e1'))), 0)).toContain(
      '1 of 35 sub-calls',
    );
  });

  test('a batch of a child is another batch', () => {
    const inner = eventOf({ type: 'subcall.started', callId: 'k', ...SUB_CALL, batch: { id: 1, count: 3 } }, 'child');
    expect(progressLine(after(item(1), inner), 0)).toContain('0 of 27 sub-calls');
  });

  test('names the cause of each retry and the wait, of the root and of sub-calls', () => {
    const failed = { ...usage(0, 0), purpose: 'root', depth: 0, attempt: 4, ok: false, fault: 'rate-limit' } as const;
    expect(after(eventOf(PROGRESS), eventOf({ ...failed, retryInMs: 2_000 })).doing).toBe(
      'rate limited, again in 2.0 s (attempt 5)',
    );
    const sub = { ...failed, purpose: 'sub', fault: 'overloaded', retryInMs: 12_000 } as const;
    expect(progressLine(after(eventOf(PROGRESS), item(1), eventOf(sub)), 0)).toBe(
      '0:00 turn 2/30 · running code · 0 of 24 sub-calls (the server is overloaded, again in 12.0 s (attempt 5)) · 10 tokens · $0',
    );
    const later = after(
      eventOf(started('c')),
      eventOf(sub),
      eventOf({ type: 'subcall.completed', callId: 'c', ok: true, ...DONE }),
    );
    expect(progressLine(later, 0)).not.toContain('overloaded');
  });

  test('shows the end of the text that the model writes, in the columns there are', () => {
    const delta: EventBody = { type: 'model.delta', turn: 2, attempt: 1, text: `${'word '.repeat(90)}\nthe 漢字 end` };
    const state = after(eventOf(PROGRESS), eventOf(delta));
    for (const width of [40, 80, 120]) {
      const line = progressLine(state, 61_000, width);
      expect(line).toMatch(/^1:01 turn 2\/30 · writing: ….*the 漢字 end$/);
      expect(columnsIn(line)).toBeLessThanOrEqual(width);
      expect(columnsIn(line)).toBeGreaterThan(width - 3);
    }
    const failed = { ...usage(0, 0), purpose: 'root', depth: 0, ok: false, fault: 'truncated', retryInMs: 0 } as const;
    expect(progressLine(nextState(state, eventOf(failed)), 0)).toContain(
      'the reply broke off, asking again (attempt 2)',
    );
  });

  test('keeps the time at 20 columns, says nothing of a price that is not known, and says that it stops', () => {
    expect(progressLine(after(eventOf(PROGRESS), eventOf(usage(1, null))), 4_000, 20)).toBe('0:04 turn 2/30 · ru…');
    expect(progressLine(after(eventOf(PROGRESS), eventOf(usage(1, null))), 0)).not.toContain('unknown');
    const stopping = eventOf({ type: 'limit.reached', limit: 'finish-requested', value: 2, message: '' });
    const failed = { ...usage(0, 0), purpose: 'root', depth: 0, ok: false, fault: 'unreachable' } as const;
    expect(after(eventOf(PROGRESS), stopping, eventOf(failed)).doing).toBe('stopping');
  });
});

test('one call without a price makes the cost unknown for good', () => {
  expect(after(eventOf(usage(1, null)), eventOf(usage(1, 1))).costUsd).toBeNull();
});

test('what a model or server named itself cannot steer the terminal', () => {
  const state = after(eventOf({ ...PROGRESS, status: 'running \u001b[2J code' }));
  expect(progressLine(state, 0)).toContain('running \\x1b[2J code');
});
