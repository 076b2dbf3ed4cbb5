/** The system prompt in the words of the published protocol: every sentence that claims a behaviour, executed. */
import { describe, expect, it } from 'vitest';
import { createRlm } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { cell, play, promptOf, type Script } from './harness.ts';

const options = { prompt: { dialect: 'reference' } } as const;

const systemOf = async (script: Partial<Script<unknown>> = {}): Promise<string> => {
  const { root } = await play({ context: 'x', root: [cell('FINAL(1)')], options, ...script });
  return root.requests[0]?.messages[0]?.content ?? '';
};

describe('the reference dialect', () => {
  it('is a prompt that speaks the published protocol, as short as ours', async () => {
    const prompt = await systemOf();
    for (const word of [
      '`repl`',
      '`llm_query(prompt)`',
      'llm_query_batched',
      '`FINAL_VAR(variable_name)`',
      'SHOW_VARS',
    ])
      expect(prompt).toContain(word);
    expect(prompt.length).toBeLessThan(4_000);
  });

  it('says only what holds: a run as a model trained on it writes it', async () => {
    const { result, root } = await play({
      context: 'a,b,c',
      options,
      sub: ({ prompt }) => prompt.toUpperCase(),
      root: [
        'Let me look.\n```repl\nprint(type(context), len(context))\n```',
        cell('replies = llm_query_batched(context.split(","))', 'one = llm_query("d")', 'print(SHOW_VARS())'),
        cell('final_answer = "".join(replies) + one'),
        'FINAL_VAR(final_answer)',
      ],
    });
    expect(result).toMatchObject({ outcome: 'converged', answer: 'ABCD' });
    expect(promptOf(root, 1)).toContain("<class 'str'> 5");
    expect(promptOf(root, 2)).toContain('replies');
  });

  it('refuses an answer before any code has looked, and beside code whose output is unseen, as it says', async () => {
    const { result, root } = await play({
      context: 'x',
      options,
      root: ['FINAL(guess)', `${cell('print(1)')}\nFINAL(unseen)`, 'FINAL(seen)'],
    });
    expect(result.answer).toBe('seen');
    expect(promptOf(root, 1)).toContain('was not taken');
    expect(promptOf(root, 2)).toContain('was not taken');
  });

  it('names what is bound: children, tools, values, the schema, the bound of outputs', async () => {
    expect(await systemOf()).not.toContain('rlm_query');
    expect(await systemOf({ limits: { maxDepth: 2 } })).toContain('`rlm_query(query, context)`');
    expect(await systemOf({ limits: { maxDepth: 0 } })).toContain('No sub-calls');
    expect(await systemOf({ limits: { outputChars: 777 } })).toContain('at most 777 characters of each output');
  });

  it('is refused under another name', () => {
    const prompt = { dialect: 'klingon' } as unknown as { dialect: 'reference' };
    expect(() => createRlm({ model: scriptedModel(['x']), prompt })).toThrow(/option prompt/);
  });
});
