/**
 * Every sentence of the system prompt that claims a behaviour, executed. The table says which; a line of the prompt
 * that no row names fails the last test.
 */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DEFAULT_LIMITS } from '../../src/index.ts';
import { systemPrompt } from '../../src/prompt/index.ts';
import { ANSWER_CLAIMS } from './claims-of-answers.ts';
import { CELL_CLAIMS } from './claims-of-cells.ts';
import { SUB_CALL_CLAIMS } from './claims-of-sub-calls.ts';
import { cell, play } from './harness.ts';

const CLAIMS = [...CELL_CLAIMS, ...SUB_CALL_CLAIMS, ...ANSWER_CLAIMS];

/** Lines that advise or name, and claim nothing that could be executed. */
const NO_CLAIM: readonly RegExp[] = [
  /^$/,
  /^#/,
  /^You answer a query|^conversation\. It is/,
  /^```|^print\(len\(context\)\)$/,
  /^- Look first:/,
  /^- Use code for what code can decide/,
  /^- Hand meaning to sub-calls/,
  /^- Keep long results in variables/,
  /^\{.*\}$/,
];

describe('the system prompt claims, and it is so:', () => {
  it.each(CLAIMS.map((claim) => [claim.says, claim] as const))('%s', async (_, { script, holds }) => {
    holds(await play(script));
  });

  it('no line claims a behaviour that no row of the table executes', async () => {
    const { root } = await play({
      context: 'a line of it\n'.repeat(5_000),
      output: z.object({ a: z.number() }),
      root: [cell('FINAL({"a": 1})')],
    });
    const prompt = root.requests[0]?.messages[0]?.content ?? '';
    const unclaimed = prompt
      .split('\n')
      .filter(
        (line) => !NO_CLAIM.some((pattern) => pattern.test(line)) && !CLAIMS.some(({ says }) => line.includes(says)),
      );
    expect(unclaimed).toEqual([]);
  });

  it('every row is about a line of some prompt', () => {
    const info = {
      backend: 'x',
      pythonVersion: '3.14',
      isolation: 'process',
      threads: false,
      packages: ['numpy 2'],
      shell: 'bash',
    } as const;
    const facts = {
      info,
      limits: DEFAULT_LIMITS,
      traits: { items: true, text: true, large: true, images: true, tables: true },
      subModelTokens: undefined,
      readsImages: true,
      depth: 0,
      contextNames: [],
      tools: [],
      values: ['rates'],
      requireInspection: true,
    };
    const emulated = { ...facts, info: { ...info, shell: 'just-bash' as const } };
    const prompts = [
      ...[undefined, '{"a":1}'].map((outputSchema) => systemPrompt({ ...facts, outputSchema })),
      systemPrompt({ ...emulated, outputSchema: undefined }),
      systemPrompt({ ...facts, limits: { ...DEFAULT_LIMITS, maxDepth: 2 }, outputSchema: undefined }),
    ].join('\n');
    expect(CLAIMS.filter(({ says }) => !prompts.includes(says)).map(({ says }) => says)).toEqual([]);
  });
});
