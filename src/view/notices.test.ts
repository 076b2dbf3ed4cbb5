import { describe, expect, it } from 'vitest';
import type { EventBody, RunEvent } from '../event/event.ts';
import { besidesOf } from './beside-nodes.ts';
import { noticesOf } from './notices.ts';

const START = Date.parse('2026-03-04T05:06:07.000Z');

/** Events one second apart. */
function events(...bodies: readonly EventBody[]): readonly RunEvent[] {
  return bodies.map((body, at) => ({
    ...{ v: 1, runId: 'r', traceId: 'r', seq: at + 1, time: new Date(START + 1_000 * at).toISOString() },
    ...body,
  }));
}

const tool = (name: string, ok = true): EventBody => ({
  ...{ type: 'tool.completed', name, callId: 'k', commandId: 't1.0', ok, durationMs: 10 },
  ...(!ok && { error: 'no such order' }),
});

const usage = (purpose: 'root' | 'final' | 'summary' | 'sub', more: object = {}): EventBody => ({
  ...{
    type: 'usage.recorded',
    model: 'm',
    purpose,
    depth: 0,
    attempt: 1,
    ok: true,
    inputTokens: 100,
    outputTokens: 10,
  },
  ...{ costUsd: 0.01, estimated: false, possiblyBilled: false, durationMs: 400, ...more },
});

describe('notices of a run', () => {
  it('are one line for many calls of a tool, and one for each failure', () => {
    const calls = Array.from({ length: 500 }, () => tool('lookup'));
    const found = noticesOf(events({ type: 'turn.started', turn: 1 }, ...calls, tool('lookup', false), tool('send')));
    expect(found.map(({ turn, level, text }) => [turn, level, text])).toEqual([
      [1, 'info', 'Tool lookup was called by t1.0 500 times (5000 ms in all).'],
      [1, 'warning', 'Tool lookup, called by t1.0, failed after 10 ms: no such order'],
      [1, 'info', 'Tool send was called by t1.0 (10 ms).'],
    ]);
  });

  it('name compaction, refusals of a policy and cut conversations', () => {
    const compacted: EventBody = {
      ...{ type: 'context.compacted', turn: 9, cause: 'window', outputs: ['t2.0'], turnsSummarised: ['t1'] },
      ...{ summaryChars: 10, imagesDropped: 0, tokensBefore: 90_000, tokensAfter: 20_000, window: 100_000 },
    };
    const refused = {
      turn: 9,
      id: 't9.0',
      decision: 'refused',
      rule: 'python.calls deny os.system',
      message: 'no',
    } as const;
    const found = noticesOf(
      events(
        compacted,
        { type: 'policy.decided', ...refused },
        { type: 'policy.refusals', turn: 9, count: 3, taken: 'stop' },
      ),
    );
    expect(found.map(({ text }) => text)).toEqual([
      'The conversation was compacted, about 90,000 tokens became 20,000: a summary replaces t1, the output of t2.0 was dropped.',
      'The policy refused t9.0 (python.calls deny os.system): no',
      '3 refusals of the policy in a row: the run ended.',
    ]);
  });
});

describe('model round trips beside the turns', () => {
  it('are direct calls, last calls and summaries, with their retries', () => {
    const found = besidesOf(
      events(
        usage('root'),
        { type: 'turn.started', turn: 1 },
        usage('root'),
        usage('sub'),
        usage('summary', { costUsd: null }),
        usage('final', { ok: false }),
        usage('final', { attempt: 2 }),
      ),
    );
    expect(
      found.map(({ purpose, durationMs, usage: used }) => [purpose, durationMs, used.attempts, used.costUsd]),
    ).toEqual([
      ['direct', 400, 1, 0.01],
      ['summary', 400, 1, null],
      ['final', 1_400, 2, 0.02],
    ]);
  });
});
