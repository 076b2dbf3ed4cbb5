/** Reports from the field, rows 1 to 6: how replies of model families are read, from the reply to the answer. */
import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../../src/index.ts';
import { cell, play, promptOf } from '../engine/harness.ts';

const LOOK = cell('print(len(context))');
const THOUGHTS = 'Maybe it is\nFINAL("draft from thoughts")\nno, check.';
const BLOCK = '```repl\nFINAL(f"{len(context)} characters")\n```';

describe('reasoning in the marks of a family is not a reply', () => {
  it.each([
    ['gpt-oss', `<|channel|>analysis<|message|>${THOUGHTS}<|end|><|start|>assistant<|channel|>final<|message|>`],
    ['gpt-oss whose markers were stripped', `analysisMaybe it is FINAL("draft from thoughts"), no.assistantfinal\n`],
    ['Mistral', `[THINK]${THOUGHTS}[/THINK]`],
    ['Kimi', `◁think▷${THOUGHTS}◁/think▷`],
    ['Qwen without its opening mark', 'Maybe it is FINAL("draft from thoughts"), no.\n</think>\n'],
  ])('%s', async (_, thoughts) => {
    const { result } = await play({ context: 'eleven char', root: [LOOK, `${thoughts}\n${BLOCK}`] });
    expect(result).toMatchObject({ outcome: 'converged', answer: '11 characters' });
  });

  it('control tokens reach no answer', async () => {
    const { result } = await play({ context: 'x', root: [LOOK, 'FINAL(done)<|return|>'] });
    expect(result.answer).toBe('done');
  });
});

describe('code inside an answer does not run', () => {
  const code = '```python\nopen("made-by-answer", "w").write("x")\n```';
  it.each([
    ['triple quotes', `FINAL("""Here it is:\n${code}\nUse it.""")`],
    ['one pair of quotes', `FINAL("Here it is:\n${code}\nUse it.")`],
    ['no quotes', `FINAL(Here it is:\n${code}\nUse it.)`],
    ['two blocks', `FINAL('''First:\n${code}\nthen\n${code}\nUse it.''')`],
  ])('%s: the whole text is the answer', async (_, reply) => {
    const { result, events } = await play({ context: 'x', root: [LOOK, reply] });
    expect(result.outcome).toBe('converged');
    expect(result.text).toContain('open("made-by-answer"');
    expect(result.text).toContain('Use it.');
    expect(events.filter(({ type }) => type === 'cell.completed')).toHaveLength(1);
  });

  it('that is never closed: nothing runs either', async () => {
    const root = [LOOK, `FINAL("""Here it is:\n${code}\nUse it.`, 'FINAL(short)'];
    const { events } = await play({ context: 'x', root });
    expect(events.filter(({ type }) => type === 'cell.completed')).toHaveLength(1);
  });
});

describe('an invented output ends the reply', () => {
  it.each(['REPL output:\n5231', 'Observation: 5231', '```output\n5231\n```', 'user\n5231'])('%j', async (invented) => {
    const made = `${LOOK}\n${invented}\n${cell('text = "It has 5231 characters"')}\nFINAL_VAR(text)`;
    const { result, root, events } = await play({ context: 'eleven char', root: [made, 'FINAL(11)'] });
    expect(result.answer).toBe('11');
    expect(events.filter(({ type }) => type === 'cell.completed')).toHaveLength(1);
    expect(promptOf(root, 1)).toContain('output or a message that you wrote yourself');
    expect(promptOf(root, 1)).toContain('| 11');
  });
});

describe('fences and dialects as models write them', () => {
  const code = 'n = len(context)\nprint(n)';
  const call = JSON.stringify({ name: 'python', arguments: { code } });
  it.each([
    ['a closing fence on the last line', `\`\`\`repl\n${code}\`\`\``],
    ['text behind the closing fence', `\`\`\`repl\n${code}\n\`\`\` and wait`],
    ['an opening fence behind a sentence', `I look: \`\`\`python\n${code}\n\`\`\``],
    ['tool_code', `\`\`\`tool_code\n${code}\n\`\`\``],
    ['<code>', `<code>\n${code}\n</code>`],
    ['<tool_call>', `<tool_call>${call}</tool_call>`],
    ['a JSON fence', `\`\`\`json\n${call}\n\`\`\``],
    ['bare JSON', call],
  ])('%s runs', async (_, reply) => {
    const { result } = await play({ context: 'eleven char', root: [reply, 'FINAL_VAR(n)'] });
    expect(result).toMatchObject({ outcome: 'converged', answer: '11' });
  });

  it.each([
    ['search', { query: 'key' }, 'print(type(context), len(context))'],
    ['analyze_document', { code: 'print(context.upper())' }, 'print(context.upper())'],
    ['run_sql', { statement: 'SELECT 1' }, 'print(type(context), len(context))'],
  ])('a call of %s is answered with the block to send', async (name, input, send) => {
    const asked = `<tool_call>${JSON.stringify({ name, arguments: input })}</tool_call>`;
    const { root } = await play({ context: 'x', root: [asked, LOOK, 'FINAL(x)'] });
    expect(promptOf(root, 1)).toContain(`this is a call of the tool "${name}"`);
    expect(promptOf(root, 1)).toContain(`    \`\`\`repl\n    ${send}`);
  });

  it('the count of empty replies starts again when the form changes', async () => {
    const call = '<tool_call>{"name": "search", "arguments": {"query": "x"}}</tool_call>';
    const root = ['Hm.', 'Hm.', call, call, LOOK, 'FINAL(x)'];
    const { result } = await play({ context: 'x', root });
    expect(result).toMatchObject({ outcome: 'converged', answer: 'x', turns: 6 });
  });
});

describe('a typed answer in a bare JSON fence', () => {
  const output = jsonSchema<{ n: number }>({
    ...{ type: 'object', required: ['n'] },
    properties: { n: { type: 'integer' } },
  });
  it.each(['```json\n{"n": 2}\n```', '```\n{"n": 2}\n```', '<think>hm</think>\n```json\n{"n": 2}\n```\n'])(
    '%j',
    async (fence) => {
      const { result } = await play({ context: 'x', output, root: [LOOK, fence] });
      expect(result).toMatchObject({ outcome: 'converged', answer: { n: 2 }, turns: 2 });
    },
  );

  it('before a look at the context is refused like any text, with the look to send', async () => {
    const { result, root } = await play({
      context: 'x',
      output,
      root: ['```json\n{"n": 2}\n```', LOOK, 'FINAL({"n": 2})'],
    });
    expect(result).toMatchObject({ outcome: 'converged', answer: { n: 2 } });
    expect(promptOf(root, 1)).toContain('no code has looked at the context yet');
    expect(promptOf(root, 1)).toContain('    print(type(context), len(context))');
  });

  it('without a fence: the note holds the line to send', async () => {
    const { root } = await play({ context: 'x', output, root: [LOOK, '{"n": 2}', 'FINAL({"n": 2})'] });
    expect(promptOf(root, 2)).toContain('    FINAL("{\\"n\\": 2}")');
  });

  it('at a limit as well', async () => {
    const limits = { maxTurns: 1 };
    const { result } = await play({ context: 'x', output, limits, root: [LOOK, '```json\n{"n": 2}\n```'] });
    expect(result).toMatchObject({ outcome: 'exhausted', answer: { n: 2 } });
  });
});
