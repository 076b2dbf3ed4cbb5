/** Habits of small models, from the reply to the feedback: what the model reads next. */
import { describe, expect, it } from 'vitest';
import { cell, play, promptOf } from '../engine/harness.ts';

const LOOK = cell('print(len(context))');

/** The feedback on the second reply, after a look. */
async function feedbackOn(reply: string, context: string | readonly string[] = 'x'): Promise<string> {
  const { root } = await play<unknown>({ context, root: [LOOK, reply, 'FINAL("end")'] });
  return promptOf(root, 2);
}

describe('the feedback names the habit and gives the exact text', () => {
  it.each([
    ['**Final Answer:** 42', 'an answer in a sentence does not count', 'FINAL("42")'],
    ['So \\boxed{42}', 'an answer in a sentence', 'FINAL("42")'],
    ['FINAL_VAR(45654bfb-10c2)', 'this is a value', 'FINAL("45654bfb-10c2")'],
    ['So I say FINAL("42") now.', 'in the middle of a line', 'FINAL("42")'],
    ['<think>I look.\n```python\nprint(7)\n```', 'never closed', '    print(7)'],
    ['The vault is 77.', 'text alone', 'FINAL("The vault is 77.")'],
    [cell('FINAL(Answer: 62)'), 'needs quotes', 'FINAL("Answer: 62")'],
    [cell('key = 1', '# FINAL_VAR(key)'), 'a comment is not run', 'FINAL_VAR(key)'],
    [cell('import tiktoken', 'print(7)'), 'tiktoken is not installed', '    print(7)'],
    [cell('print(re.findall("a", "a"))'), 'Add: import re', '    import re'],
    [`${cell('total = 1')}\nFINAL_VAR(totl)`, 'there is no variable totl', 'FINAL_VAR(total)'],
    [
      '```repl\nprint(len(con',
      'no closing ``` and ends in the middle of a line',
      '    print(type(context), len(context))',
    ],
    [
      '```repl\nn = len(context)\nrows = [\n  1,\n  print(',
      'ends in the middle',
      '    ```repl\n    n = len(context)\n    ```',
    ],
    [
      '```repl\nfor c in context:\n    print(c)\nprint("a',
      'ends in the middle',
      '    for c in context:\n        print(c)\n    ```',
    ],
  ])('%j', async (reply, seen, send) => {
    const feedback = await feedbackOn(reply);
    expect(feedback).toContain(seen);
    expect(feedback.toLowerCase()).toContain(send.toLowerCase());
    expect(feedback).not.toMatch(/variable_name|your code here|the answer\)/);
  });

  it('many single calls, and one prompt with far too much', async () => {
    const feedback = await feedbackOn(cell('for i in range(25): llm_query(f"say {i}")', 'llm_query("a" * 300_000)'));
    expect(feedback).toContain('26 single calls of llm_query');
    expect(feedback).toContain('300000 characters');
    const few = await feedbackOn(cell('r = llm_query_batched([f"say {i}" for i in range(25)])'));
    expect(few).not.toContain('single calls');
  });
});

describe('a form copied word for word', () => {
  it.each([
    'FINAL("your answer")',
    'FINAL(the answer)',
    'FINAL("<your answer here>")',
    cell('FINAL("your answer")'),
    `${cell('result = "..."')}\nFINAL_VAR(result)`,
  ])('is never the answer: %j', async (reply) => {
    const { result, root } = await play<unknown>({ context: 'x', root: [LOOK, reply, 'FINAL("end")'] });
    expect(result.answer).toBe('end');
    expect(promptOf(root, 2)).toContain('is the form to fill in, not an answer');
  });

  it('is not the best answer at a limit either', async () => {
    const { result } = await play<unknown>({
      ...{ context: 'x', root: [LOOK, 'FINAL("your answer")', 'FINAL("your answer")'] },
      limits: { maxTurns: 2 },
    });
    expect(result.outcome).toBe('exhausted');
    expect(result.text).not.toContain('your answer');
  });
});

describe('the reserved draft', () => {
  it('that a cell overwrites: a warning at once, and the text is the draft', async () => {
    const { result, root } = await play({ context: 'x', root: [cell('answer = llm_query("a")'), 'FINAL_VAR(answer)'] });
    expect(promptOf(root, 1)).toContain('Did you mean FINAL_VAR(answer)?');
    expect(result).toMatchObject({ outcome: 'converged', answer: 'A' });
  });

  it('is still the answer a cell later, and from code', async () => {
    const set = cell('answer = llm_query("a")');
    expect((await play({ context: 'x', root: [set, LOOK, 'FINAL(answer)'] })).result.answer).toBe('A');
    expect((await play({ context: 'x', root: [set, cell('FINAL_VAR("answer")')] })).result.answer).toBe('A');
  });

  it('that was not filled is not an answer', async () => {
    const { result, root } = await play({ context: 'x', root: [LOOK, 'FINAL_VAR(answer)', 'FINAL(x)'] });
    expect(promptOf(root, 2)).toContain('there is no variable answer');
    expect(result.answer).toBe('x');
  });

  it('that a cell replaces by another dict is not a mistake', async () => {
    const { root } = await play({ context: 'x', root: [cell('answer = {"content": "a"}'), 'FINAL(x)'] });
    expect(promptOf(root, 1)).not.toContain('Did you mean');
  });
});

describe('the turn before a limit', () => {
  it('of empty replies: one more ends the run, with the text to copy', async () => {
    const { root } = await play({ context: 'x', root: ['Let me think.', 'Let me think.', LOOK, 'FINAL(x)'] });
    expect(promptOf(root, 1)).not.toContain('ends the run');
    expect(promptOf(root, 2)).toContain('One more such reply ends the run. Copy this:\n    ```repl\n');
  });

  it('of failed cells', async () => {
    const limits = { maxConsecutiveErrors: 3 };
    const bad = cell('1/0');
    const { root } = await play({ context: 'x', limits, root: [bad, bad, LOOK, bad, 'FINAL(x)', 'FINAL(x)'] });
    expect(promptOf(root, 1)).not.toContain('ends the run');
    expect(promptOf(root, 2)).toContain(
      'One more failed cell ends the run. Copy this:\n    ```repl\n    print(SHOW_VARS())',
    );
    expect(promptOf(root, 4)).not.toContain('ends the run');
  });
});

describe('the last call at a limit', () => {
  const limits = { maxTurns: 1 };
  it.each([
    ['I count.\n**Final Answer:** 42', '42'],
    ['FINAL_VAR(45654bfb-10c2)', '45654bfb-10c2'],
    ['So I say FINAL("42") now.', '42'],
    ['FINAL("42', '42'],
    ['<tool_call>{"name": "final_answer", "arguments": {"answer": "42"}}</tool_call>', '42'],
  ])('takes the answer of %j', async (reply, answer) => {
    const { result } = await play({ context: 'x', limits, root: [LOOK, reply] });
    expect(result).toMatchObject({ outcome: 'exhausted', answer });
  });

  it.each([
    LOOK,
    '<tool_call>{"name": "python", "arguments": {"code": "print(1)"}}</tool_call>',
    '{"name": "search", "arguments": {"query": "x"}}',
    `Now I count:\n${LOOK}`,
  ])('never takes commands for an answer: %j', async (reply) => {
    const { result } = await play({ context: 'x', limits, root: [LOOK, reply] });
    expect(result).toMatchObject({ outcome: 'exhausted', answer: undefined, text: '' });
  });
});
