import { describe, expect, it } from 'vitest';
import { referenceLog } from '../event/reference-log.ts';
import type { Trajectory } from '../trajectory.ts';
import { runPages } from './pages/index.ts';
import { referenceDocument } from './reference-document.ts';

const QUERY = 'How many of the forty-two letters in the second chapter were never answered?';
const child: Trajectory = {
  ...{ runId: 'c', parentRunId: 'r', depth: 1, query: 'the inner question', rootModel: 'openai/gpt-5-mini' },
  turns: [{ number: 1, reply: 'FINAL(7)', commands: [], feedback: '', durationMs: 10 }],
};
const usage = { inputTokens: 11, outputTokens: 3, costUsd: 0.5 };
const trajectory: Trajectory = {
  ...{ runId: 'r', depth: 0, query: QUERY, rootModel: 'openai/gpt-5' },
  turns: [1, 2].map((number) => ({
    ...{
      number,
      reply: `Look.\n\n\`\`\`repl\nprint(${number})\n\`\`\``,
      feedback: `feedback ${number}`,
      durationMs: 2_000,
    },
    commands: [
      {
        ...{ id: `t${number}.0`, command: { type: 'cell', code: `print(${number})` }, ok: false, shown: '1' },
        ...{ stdout: '1\n', error: { type: 'ValueError', message: 'no' }, durationMs: 250 },
        subCalls: [
          { id: 'c1', kind: 'rlm', model: 'm', prompt: 'inner', reply: '7', ok: true, usage, durationMs: 1_500, child },
          {
            ...{ id: 'c2', kind: 'llm', model: 'm', prompt: 'a prompt', reply: '', ok: false, durationMs: 5 },
            ...{ error: { code: 'timeout', message: 'late' }, usage: { ...usage, costUsd: null } },
          },
        ],
      },
    ],
  })),
};

const linesOf = (log: string): Record<string, unknown>[] =>
  log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('a log of the reference implementation', () => {
  const log = referenceLog(trajectory, { startedAt: new Date('2026-01-02T03:04:05.678Z'), answer: 'seven' });
  const document = referenceDocument(linesOf(log), 'x.jsonl');
  const pages = runPages(document);

  it('has question, answer, turns, times and figures', () => {
    expect(document.facts).toMatchObject({
      query: QUERY,
      outcome: 'converged',
      turns: 2,
      subCalls: 4,
      elapsedMs: 4_000,
    });
    expect(document.text).toBe('seven');
    expect(pages.overview()).toMatchObject({ origin: 'reference', counts: { runs: 3, calls: 2, failedCalls: 2 } });
    const turns = pages.turns(document.tree.runId, 0)?.items ?? [];
    expect(turns.map(({ at, modelMs, feedback }) => [at, modelMs, feedback?.text])).toEqual([
      [0, 1_750, 'feedback 1'],
      [2_000, 1_750, undefined],
    ]);
    expect(turns[0]?.parts).toMatchObject([
      { kind: 'prose', text: { text: 'Look.' } },
      { kind: 'command', command: { source: { text: 'print(1)' }, ok: false, error: { type: 'ValueError' } } },
    ]);
  });

  it('has children with their turns, and every call with prompt and reply', () => {
    const [first, second] = pages.calls(0).items;
    expect(first).toMatchObject({ kind: 'rlm', prompt: 'inner', reply: '7', costUsd: 0.5, attempts: 1 });
    expect(second).toMatchObject({ ok: false, prompt: 'a prompt', reply: 'timeout: late', costUsd: null });
    expect(pages.turns(first?.child ?? '', 0)?.items[0]?.reply.chars).toBe('FINAL(7)'.length);
  });

  it.each([
    [
      'numbers for texts',
      { response: 7, prompt: 5, code_blocks: [{ code: 3, result: { rlm_calls: [{ prompt: {} }] } }] },
    ],
    ['nothing but a list', { code_blocks: [] }],
    ['times that cannot be', { code_blocks: [null, 7], iteration_time: 1e308, timestamp: 'soon' }],
    ['negative times', { code_blocks: [{ result: { execution_time: -5 } }], iteration_time: -1 }],
    ['children without end', { code_blocks: [{ result: { rlm_calls: [{ metadata: { iterations: [{}] } }] } }] }],
  ])('with %s opens', (_, iteration) => {
    const pagesOf = runPages(referenceDocument([{ type: 'iteration', ...iteration }], 'x.jsonl'));
    expect(pagesOf.overview().facts.turns).toBe(1);
    expect(pagesOf.runs(0).items.length).toBeGreaterThan(0);
    expect(Number.isFinite(pagesOf.overview().spanMs)).toBe(true);
  });

  it('without an iteration is refused, naming the file', () => {
    expect(() => referenceDocument([{ type: 'metadata' }], 'x.jsonl')).toThrow('x.jsonl has no iteration');
  });
});
