import { describe, expect, it } from 'vitest';
import type { SubCall, Trajectory, Turn } from '../trajectory.ts';
import { referenceLog, referenceLogName } from './reference-log.ts';

const startedAt = new Date('2026-01-02T03:04:05.678Z');
const QUERY = 'How many of the forty-two letters in the second chapter were never answered?';

const child: Trajectory = {
  ...{ runId: 'c', parentRunId: 'r', depth: 1, query: 'short', rootModel: 'openai/gpt-5-mini' },
  turns: [{ number: 1, reply: 'FINAL(7)', commands: [], feedback: '', durationMs: 10 }],
};
const call: SubCall = {
  ...{ id: 'c1', kind: 'rlm', model: 'openai/gpt-5-mini', prompt: 'short', reply: '7', ok: true },
  ...{ usage: { inputTokens: 11, outputTokens: 3, costUsd: 0.5 }, durationMs: 1500, child },
};
const failed: SubCall = {
  ...{
    id: 'c2',
    kind: 'llm',
    model: 'm',
    prompt: 'p',
    reply: '',
    ok: false,
    error: { code: 'timeout', message: 'late' },
  },
  ...{ usage: { inputTokens: 1, outputTokens: 0, costUsd: null }, durationMs: 5 },
};

function turn(number: number): Turn {
  return {
    ...{ number, reply: `look ${number}`, feedback: `feedback ${number}`, durationMs: 2000 },
    commands: [
      {
        ...{ id: `t${number}.0`, command: { type: 'cell', code: 'print(1)' }, ok: false, shown: '1', stdout: '1\n' },
        ...{ error: { type: 'ValueError', message: 'no', traceback: 'Traceback: no' }, durationMs: 250 },
        subCalls: [call, failed],
      },
      {
        id: `t${number}.1`,
        command: { type: 'final-var', name: 'x' },
        ok: true,
        shown: '',
        subCalls: [],
        durationMs: 0,
      },
    ],
  };
}

const trajectory: Trajectory = {
  ...{ runId: 'r', depth: 0, query: QUERY, rootModel: 'openai/gpt-5', turns: [turn(1), turn(2), turn(3)] },
};

// biome-ignore lint/suspicious/noExplicitAny: lines of a foreign format.
function linesOf(log: string): any[] {
  return log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('the reference log', () => {
  it('is a metadata line and one line per turn, with everything its viewer reads', () => {
    const log = referenceLog(trajectory, {
      startedAt,
      answer: '7',
      maxTurns: 30,
      backend: 'python',
      contextPreview: 'Chapter 1',
    });
    const [metadata, ...iterations] = linesOf(log);
    expect(metadata).toMatchObject({
      type: 'metadata',
      root_model: 'openai/gpt-5',
      max_iterations: 30,
      backend: 'openai',
    });
    expect(iterations.map((line) => [line.type, line.iteration, line.timestamp])).toEqual([
      ['iteration', 1, '2026-01-02T03:04:05.678Z'],
      ['iteration', 2, '2026-01-02T03:04:07.678Z'],
      ['iteration', 3, '2026-01-02T03:04:09.678Z'],
    ]);
    for (const line of iterations) {
      expect(typeof line.response).toBe('string');
      expect(line.prompt.every((message: { content: unknown }) => typeof message.content === 'string')).toBe(true);
      expect(line.code_blocks).toHaveLength(1);
      expect(line.code_blocks[0]).toMatchObject({
        code: 'print(1)',
        result: { stdout: '1\n', stderr: 'Traceback: no', execution_time: 0.25, locals: { context: 'Chapter 1' } },
      });
    }
    expect(iterations.map((line) => line.final_answer)).toEqual([null, null, '7']);
    expect(log).not.toContain('undefined');
  });

  it('says null where there is no answer, and holds the last call as a turn', () => {
    const exhausted = { ...trajectory, lastCall: { prompt: 'Answer now.', reply: 'about 7' } };
    const last = linesOf(referenceLog(exhausted, { startedAt })).at(-1);
    expect(last).toMatchObject({ iteration: 4, response: 'about 7', code_blocks: [], final_answer: null });
  });

  it('nests children and gives sub-calls the counts the viewer shows', () => {
    const [, first] = linesOf(referenceLog(trajectory, { startedAt }));
    const [rlm, llm] = first.code_blocks[0].result.rlm_calls;
    expect(rlm).toMatchObject({ prompt_tokens: 11, completion_tokens: 3, execution_time: 1.5, response: '7' });
    expect(rlm.usage_summary).toMatchObject({ total_cost: 0.5 });
    expect(rlm.metadata.run_metadata.root_model).toBe('openai/gpt-5-mini');
    expect(rlm.metadata.iterations).toMatchObject([{ iteration: 1, response: 'FINAL(7)', final_answer: '7' }]);
    expect(llm).toMatchObject({ error: 'timeout: late' });
    expect(llm.usage_summary).not.toHaveProperty('total_cost');
  });

  it('shows the question, whatever its length', () => {
    const question = (query: string): string =>
      linesOf(referenceLog({ ...trajectory, query }, { startedAt }))[1].prompt[0].content;
    expect(question(QUERY)).toBe(QUERY);
    for (const query of ['Who?', `Say "${'x'.repeat(600)}".`]) {
      expect(question(query).match(/original query: "([^"]+)"/)?.[1]).toBe(query.replaceAll('"', "'"));
    }
  });

  it('grows with new text only', () => {
    const turns = Array.from({ length: 50 }, (_, number) => turn(number + 1));
    const size = (count: number): number =>
      referenceLog({ ...trajectory, turns: turns.slice(0, count) }, { startedAt }).length;
    expect(size(50) - size(40)).toBeLessThan(1.1 * (size(20) - size(10)));
  });

  it('has the file name the reference gives', () => {
    expect(referenceLogName('rlm', startedAt, '0123abcd')).toBe('rlm_2026-01-02_03-04-05_0123abcd.jsonl');
  });
});
