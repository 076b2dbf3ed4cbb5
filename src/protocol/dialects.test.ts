/** Calls as agents of other systems write them: plain Python runs, everything else is answered with the form to use. */
import { describe, expect, it, test } from 'vitest';
import { block, cell, read } from './habits.testing.ts';
import { parseReply } from './index.ts';

const json = '{"code": "print(1)"}';
const cohere = (name: string, parameters: string): string =>
  `Plan: I look.\nAction: \`\`\`json\n[\n  {"tool_name": "${name}", "parameters": ${parameters}}\n]\n\`\`\``;

describe('plain Python runs', () => {
  it.each([
    ['ReAct', 'Thought: I look.\nAction: python\nAction Input: print(1)'],
    ['ReAct, input below', 'Action: Python REPL\nAction Input:\nprint(1)'],
    ['ReAct, in bold', '**Action:** python_repl_ast\n**Action Input:** print(1)'],
    ['ReAct, as JSON', `Action: python\nAction Input: ${json}`],
    ['ReAct, in a fence', 'Action: python\nAction Input: ```python\nprint(1)\n```'],
    ['ReAct, in a fence below', 'Action: python\nAction Input:\n```\nprint(1)\n```'],
    ['ReAct, a blank line between', 'Action: python\n\nAction Input: print(1)'],
    ['Cohere', cohere('python_interpreter', json)],
    ['Cohere, another name', cohere('run_python', json)],
    ['Phi 4 mini', `functools[{"name": "python", "arguments": ${json}}]`],
    ['functools over lines', `functools[\n  {"name": "execute_python", "arguments": ${json}}\n]`],
    ['functools behind reasoning', `<think>I look.</think>\nfunctools[{"name": "python", "arguments": ${json}}]`],
    ['an object of code', json],
    ['an object of code in a fence', `\`\`\`json\n${json}\n\`\`\``],
    ['smolagents', '{"thought": "I look.", "code": "print(1)"}'],
    ['with its language', '{"language": "python", "code": "print(1)"}'],
    ['gpt-oss without marks', `analysisI look.assistantcommentary to=python code${json}`],
    ['gpt-oss without marks, plain code', 'assistantcommentary to=python codeprint(1)'],
    [
      'gpt-oss without marks, over lines',
      `analysisI look\nat it.\nassistantcommentary to=functions.python json${json}`,
    ],
    ['gpt-oss without marks, analysis', 'assistantanalysis to=python code\nprint(1)'],
  ])('%s', (_, reply) => {
    expect(read(reply)).toEqual([cell]);
  });

  test('several lines of ReAct, up to the observation that the model invents', () => {
    const reply =
      'Action: python\nAction Input:\nn = 1\n\nprint(n)\nObservation: 5231\nThought: I know.\nFinal Answer: 5231';
    expect(read(reply)).toEqual(['cell n = 1\n\nprint(n)', 'invented-output']);
  });

  test('a shell command of Cline', () => {
    const reply =
      '<execute_command>\n<command>ls</command>\n<requires_approval>false</requires_approval>\n</execute_command>';
    expect(read(reply)).toEqual(['bash ls']);
  });
});

describe('all other calls are answered with what was seen and the form to use', () => {
  it.each([
    ['ReAct', 'Action: search\nAction Input: the key', 'search', block],
    ['ReAct, an answer', 'Action: final_answer\nAction Input: 42', 'final_answer', 'FINAL("42")'],
    ['ReAct, a file', 'Action: read_file\nAction Input: {"path": "a.txt"}', 'read_file', block],
    ['Cline', '<read_file>\n<path>a.txt</path>\n</read_file>', 'read_file', block],
    [
      'Cline, an answer',
      '<attempt_completion>\n<result>\n42\n</result>\n</attempt_completion>',
      'attempt_completion',
      'FINAL("42")',
    ],
    [
      'Cline, an answer with a command',
      '<attempt_completion>\n<result>42</result>\n<command>open x</command>\n</attempt_completion>',
      'attempt_completion',
      'FINAL("42")',
    ],
    [
      'Roo',
      '<ask_followup_question>\n<question>Which?</question>\n</ask_followup_question>',
      'ask_followup_question',
      block,
    ],
    ['Cohere', cohere('directly-answer', '{}'), 'directly-answer', block],
    ['Cohere, a search', cohere('internet_search', '{"query": "x"}'), 'internet_search', block],
    ['functools', 'functools[{"name": "search", "arguments": {"query": "x"}}]', 'search', block],
    ['gpt-oss without marks', 'assistantcommentary to=functions.search json{"query":"x"}', 'search', block],
  ])('%s', (_, reply, name, send) => {
    const { commands, rejected } = parseReply(reply);
    expect(commands).toEqual([]);
    expect(rejected).toHaveLength(1);
    expect(rejected[0]?.code).toBe('tool-call');
    expect(rejected[0]?.message).toContain(`the tool "${name}"`);
    expect(rejected[0]?.send?.startsWith(send.slice(0, 7))).toBe(true);
    expect(parseReply(rejected[0]?.send ?? '').commands).toHaveLength(1);
  });
});

describe('prose, data and answers are not calls', () => {
  it.each([
    ['an action in prose', `Action: print the context\n${block}`, [cell]],
    ['an action, then another sentence', `Action: python\nI look.\nAction Input: none\n${block}`, [cell]],
    ['an input without an action', `Action Input: print(2)\n${block}`, [cell]],
    ['commentary as a word', `commentary to follow:\n${block}`, [cell]],
    ['functools in code', '```python\nfunctools[1]\n```', ['cell functools[1]']],
    ['functools in a sentence', 'Use functools[partial] for it.', []],
    ['an object with another field', '{"code": "A17", "name": "Ada"}', []],
    ['an object of another language', '{"language": "javascript", "code": "x()"}', []],
    ['an example of JSON in prose', `This is the form: ${json}`, []],
    ['a tag in a sentence', 'The tag <read_file> reads a file.', []],
  ])('%s', (_, reply, expected) => {
    expect(read(reply)).toEqual(expected);
  });

  test('a typed answer may have a field of the name code', () => {
    expect(read(`\`\`\`json\n${json}\n\`\`\``, { jsonAnswer: true })).toEqual([`final ${json}`]);
  });
});
