import { expect, test } from 'vitest';
import type { EventBody, RunEvent } from '../../event/event.ts';
import { eventOf } from '../screen/testing.ts';
import { INITIAL_STATE, nextState, progressLine } from './run-state.ts';

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
    'turn 2/30 · running code · 1 of 2 sub-calls done (1 failed) · 12.0k tokens · $0.012 · 0:04',
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

test('what a limit refused is no sub-call of the run', () => {
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

test('an attempt that failed is told of: another one follows it', () => {
  const failed = { ...usage(0, 0), purpose: 'root', depth: 0, attempt: 2, ok: false } as const;
  expect(after(eventOf(PROGRESS), eventOf(failed)).doing).toBe('asking the model, attempt 3');
  expect(after(eventOf(PROGRESS), eventOf({ ...failed, purpose: 'sub' })).doing).toBe('running code');
});

test('one call without a price makes the cost unknown for good', () => {
  expect(after(eventOf(usage(1, null)), eventOf(usage(1, 1))).costUsd).toBeNull();
});

test('what a model or server named itself cannot steer the terminal', () => {
  const state = after(eventOf({ ...PROGRESS, status: 'running \u001b[2J code' }));
  expect(progressLine(state, 0)).toContain('running \\x1b[2J code');
});
