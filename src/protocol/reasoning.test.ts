import { describe, expect, it } from 'vitest';
import { block, cell, read } from './habits.testing.ts';
import { parseReply, splitReasoning, withoutReasoning } from './index.ts';

function runs(reply: string): string[] {
  return parseReply(reply).commands.map((command) => (command.type === 'bash' ? command.command : command.type));
}

describe('reasoning', () => {
  it.each([
    ['a block of it is cut out', '<think>RUN(no)\nRUN(no)</think>\nRUN(yes)', ['yes']],
    ['tags are read in any case', '<THINKING>\nRUN(no)\n</Thinking>RUN(yes)', ['yes']],
    ['only its own closing tag ends it', '<thinking>\n</think>\nRUN(no)\n</thinking>\nRUN(yes)', ['yes']],
    ['unclosed it runs to the end', 'RUN(yes)\n<think>\nRUN(no)\n```bash\nno\n```', ['yes']],
    ['a command before it on its line counts at the end', 'RUN(yes)<think>and', ['yes']],
    ['text before and after it joins to one line', 'RUN(y<think>RUN(no)\n</think>es)', ['yes']],
    ['a fence in it does not count', '<think>\n```bash\nno\n</think>\nRUN(yes)', ['yes']],
    ['in a fence a tag is code', '```bash\necho "<think>"\n```\nRUN(yes)', ['echo "<think>"', 'yes']],
    ['in a fence a closing tag is code', '```bash\necho "</think>"\n```', ['echo "</think>"']],
    ['other tags are text', 'RUN(cat <thinker> <th)', ['cat <thinker> <th']],
  ])('%s', (_, reply, commands) => {
    expect(runs(reply)).toEqual(commands);
  });
});

describe('a closing tag without an opening one', () => {
  it.each([
    ['makes reasoning of the text before it', 'So RUN(no)\n</think>\nRUN(yes)', ['yes']],
    ['as `</thinking>` too', 'So RUN(no)\n</thinking>\nRUN(yes)', ['yes']],
    ['also of a command on its own line, which has not closed', 'RUN(no) </think>RUN(yes)', ['yes']],
    ['and of one whose argument is open', 'RUN(no\n</think>RUN(yes)', ['yes']],
    ['and of an untagged block, which waits', '```\nno\n```\n</think>', []],
    ['again, as long as no command has closed', 'no\n</think>\nno RUN(no)\n</think>\nRUN(yes)', ['yes']],
    ['but takes no command back that has closed', 'RUN(one)\n</think>\nRUN(two)', ['one', 'two']],
    ['and is cut out then', 'RUN(one)\n</think>RUN(two)', ['one', 'two']],
  ])('%s', (_, reply, commands) => {
    const parsed = parseReply(reply);
    expect(runs(reply)).toEqual(commands);
    expect(parsed.rejected).toEqual([]);
  });
});

describe('reasoning in the marks of a family', () => {
  const thoughts = 'Maybe.\nFINAL("draft from thoughts")\n```python\nbad()\n```\nno, check.';
  it.each([
    ['DeepSeek, Qwen', `<think>${thoughts}</think>`],
    ['Claude-like', `<thinking>\n${thoughts}\n</thinking>\n`],
    ['other tags', `<reasoning>${thoughts}</reasoning>`],
    ['scratchpads', `<scratchpad>\n${thoughts}</scratchpad>`],
    ['Seed', `<seed:think>${thoughts}</seed:think>`],
    ['Mistral', `[THINK]${thoughts}[/THINK]`],
    ['Kimi', `◁think▷${thoughts}◁/think▷`],
    ['Cohere', `<|START_THINKING|>${thoughts}<|END_THINKING|>`],
    ['OpenThinker', `<|begin_of_thought|>\n${thoughts}\n<|end_of_thought|>\n`],
    ['gpt-oss', `<|channel|>analysis<|message|>${thoughts}<|end|><|start|>assistant<|channel|>final<|message|>`],
    [
      'gpt-oss with its start token',
      `<|start|>assistant<|channel|>analysis<|message|>${thoughts}<|end|>\n<|start|>assistant<|channel|>final<|message|>\n`,
    ],
    [
      'gpt-oss, two channels',
      `<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary<|message|>${thoughts}<|end|><|start|>assistant<|channel|>final<|message|>`,
    ],
    ['a server that strips the opening mark', 'Maybe the answer is FINAL(1).\n</think>\n'],
  ])('%s: nothing in it runs, the block behind it does', (_, opening) => {
    expect(read(`${opening}\n${block}`)).toEqual([cell]);
    expect(withoutReasoning(`${opening}\nThe answer.`)).toBe('The answer.');
  });

  it('never closed, with a block inside: the message says why nothing ran', () => {
    expect(read(`<think>I look first.\n${block}`)).toEqual(['unclosed-reasoning']);
    expect(parseReply(`<think>\n${block}`).rejected[0]?.message).toContain('never closed');
    expect(parseReply(`<think>\n${block}`).rejected[0]?.send).toBe(block);
  });

  it.each([
    '<|im_end|>',
    '<|eot_id|>',
    '<|end|>',
    '<|return|>',
    '</s>',
    '<end_of_turn>',
    '<|endoftext|>',
    '<｜end▁of▁sentence｜>',
  ])('the control token %s reaches no answer and breaks no fence', (token) => {
    expect(read(`FINAL(done)${token}`)).toEqual(['final done']);
    expect(read(`${block}${token}`)).toEqual([cell]);
  });
});

describe('reasoning in the reply of a sub-call', () => {
  it.each([
    ['<think>\nhm\n</think>\n{"name": "Ada"}', '{"name": "Ada"}', 'hm'],
    ['[THINK]hm[/THINK]Ada', 'Ada', 'hm'],
    ['hm, so\n</think>\n\nAda', 'Ada', 'hm, so'],
    ['<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Ada<|return|>', 'Ada', 'hm'],
    ['analysisHm, let me see.assistantfinalAda', 'Ada', 'analysisHm, let me see.'],
    ['<think>never closed', '', 'never closed'],
  ])('%j', (reply, text, reasoning) => {
    expect(splitReasoning(reply)).toEqual({ text, reasoning });
  });

  it.each([
    'Ada',
    'The tag <think> opens reasoning, and </think> closes it.',
    'a\n<think>quoted</think>\nb',
    'x </think> y',
  ])('data that quotes a mark stays: %j', (reply) => {
    expect(splitReasoning(reply)).toEqual({ text: reply, reasoning: undefined });
  });
});

describe('gpt-oss channels whose marks a server has stripped', () => {
  const block = '```bash\nyes\n```';
  it.each([
    ['over lines', `analysisMaybe it is\nRUN(no)\nno, check.assistantfinal${block}`, ['yes']],
    ['on lines of their own', `analysis\nMaybe\nRUN(no)\nassistantfinal\n${block}`, ['yes']],
    ['with a block in the reasoning', `analysisI look:\n\`\`\`bash\nno\n\`\`\`\nassistantfinal\nRUN(yes)`, ['yes']],
    ['two channels', `commentary"Hm"\nRUN(no)\nassistantanalysisNo.\nassistantfinalRUN(yes)`, ['yes']],
    ['never closed', 'analysisWe look.\n```bash\nno\n```', []],
    ['only as the first word of a reply', 'So:\nanalysisWe\nRUN(yes)', ['yes']],
    ['a sentence that begins with the word', 'analysis of the text follows.\nRUN(yes)', ['yes']],
  ])('%s', (_, reply, commands) => {
    expect(runs(reply)).toEqual(commands);
  });
});

describe('reasoning of Gemma 4', () => {
  it.each([
    ['<|channel>thought\nRUN(no)\n<channel|>RUN(yes)', ['yes']],
    ['<|channel>thought\n<channel|>\nRUN(yes)', ['yes']],
    ['<|channel>thought\n```bash\nno\n```\n<channel|>\nRUN(yes)', ['yes']],
    ['<|channel>thought\nRUN(no)', []],
  ])('%j', (reply, commands) => {
    expect(runs(reply)).toEqual(commands);
  });
});
