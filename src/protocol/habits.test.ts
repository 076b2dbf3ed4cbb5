/** How model families write: markers, fences, dialects and habits, each with the reading that a person would give it. */
import { describe, expect, it, test } from 'vitest';
import { block, cell, read } from './habits.testing.ts';
import { parseReply } from './index.ts';

describe('fences as models write them', () => {
  it.each([
    'python',
    'Python3',
    'py',
    'ipython',
    'python3.11',
    '{python}',
    '{.python}',
    'python-repl',
    'tool_code',
    'jupyter',
    'python title="x"',
    'python,run',
  ])('the tag %s is Python', (tag) => {
    expect(read(`\`\`\`${tag}\nprint(1)\n\`\`\``)).toEqual([cell]);
  });

  it.each(['text', 'markdown', 'javascript', 'pythonic', 'toml', 'diff'])('the tag %s is not', (tag) => {
    expect(read(`\`\`\`${tag}\nprint(1)\n\`\`\``)).toEqual([]);
  });

  it.each([
    ['the closing fence on the last line of code', '```repl\nn = 1\nprint(1)```', 'cell n = 1\nprint(1)'],
    ['that, and a closing line as well', '```repl\nprint(1)```\n```\nNow I wait.', cell],
    ['text behind the closing fence', '```python\nprint(1)\n``` Now I wait for the output.', cell],
    ['one line', 'I look: \n```python print(1)```', cell],
    ['the opening fence behind a sentence', 'Let me look: ```python\nprint(1)\n```', cell],
    ['the tag below the fence', '```\npython\nprint(1)\n```', cell],
    ['a next block without a closing line', '```python\nprint(1)\n```python\nprint(1)\n```', `${cell},${cell}`],
    ['backticks in a string', '```python\ns = "```"\nt = \'```\'\n```', 'cell s = "```"\nt = \'```\''],
    [
      'backticks in a comment',
      '```python\nx = 1  # closes with ```\ny = 2\n```',
      'cell x = 1  # closes with ```\ny = 2',
    ],
    ['backticks in a triple-quoted string', '```python\nd = """\n``` text\n"""\n```', 'cell d = """\n``` text\n"""'],
  ])('%s', (_, reply, expected) => {
    expect(read(reply).join()).toBe(expected);
  });
});

/** Claude's calls in a namespace of tags. */
function inNamespace(prefix: string, code: string): string {
  const invoke = `<${prefix}invoke name="python">\n<${prefix}parameter name="code">${code}</${prefix}parameter>\n</${prefix}invoke>`;
  return `<${prefix}function_calls>\n${invoke}\n</${prefix}function_calls>`;
}

describe('dialects of other systems', () => {
  const json = JSON.stringify({ name: 'python', arguments: { code: 'print(1)' } });
  it.each([
    ['Hermes and Qwen', `<tool_call>\n${json}\n</tool_call>`],
    ['on one line', `<tool_call>${json}</tool_call>`],
    [
      'arguments as a text',
      `<tool_call>${JSON.stringify({ name: 'execute_python', arguments: '{"code": "print(1)"}' })}</tool_call>`,
    ],
    ['Llama', JSON.stringify({ name: 'code_interpreter', parameters: { code: 'print(1)' } })],
    [
      'Llama, over lines',
      JSON.stringify({ type: 'function', function: { name: 'python', arguments: { code: 'print(1)' } } }, null, 2),
    ],
    ['Llama, its interpreter', '<|python_tag|>print(1)<|eom_id|>'],
    ['in a fence', `\`\`\`json\n${json}\n\`\`\``],
    ['in a fence of its own', `\`\`\`tool_call\n${json}\n\`\`\``],
    ['Mistral', `[TOOL_CALLS][${json}]`],
    [
      'Qwen-Coder',
      '<tool_call>\n<function=python>\n<parameter=code>\nprint(1)\n</parameter>\n</function>\n</tool_call>',
    ],
    [
      'Anthropic',
      '<function_calls>\n<invoke name="python">\n<parameter name="code">print(1)</parameter>\n</invoke>\n</function_calls>',
    ],
    ['Llama, function tag', '<function=python>{"code": "print(1)"}</function>'],
    [
      'DeepSeek',
      '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>python\n```json\n{"code": "print(1)"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    ],
    ['gpt-oss', '<|channel|>commentary to=functions.python <|constrain|>json<|message|>{"code": "print(1)"}<|call|>'],
    ['gpt-oss, plain code', '<|start|>assistant<|channel|>analysis to=python code<|message|>print(1)<|call|>'],
    ['on one line behind a sentence', `I look: <tool_call>${json}</tool_call>`],
    ['as a dict of Python', "<tool_call>{'name': 'python', 'arguments': {'code': 'print(1)'}}</tool_call>"],
    ['GLM', '<tool_call>python\n<arg_key>code</arg_key>\n<arg_value>print(1)</arg_value>\n</tool_call>'],
    ['GLM 4.7', '<tool_call>python<arg_key>code</arg_key><arg_value>print(1)</arg_value></tool_call>'],
    [
      'Kimi',
      '<|tool_calls_section_begin|><|tool_call_begin|>functions.python:0<|tool_call_argument_begin|>{"code": "print(1)"}<|tool_call_end|><|tool_calls_section_end|>',
    ],
    ['Mistral 11', '[TOOL_CALLS]python[ARGS]{"code": "print(1)"}'],
    ['Mistral 13', '[TOOL_CALLS]python[CALL_ID]abc123def[ARGS]{"code": "print(1)"}'],
    ['Gemma 4', '<|tool_call>call:python{code:<|"|>print(1)<|"|>}<tool_call|>'],
    ['FunctionGemma', '<start_function_call>call:python{code:<escape>print(1)<escape>}<end_function_call>'],
    [
      'Cohere',
      `<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "python", "parameters": {"code": "print(1)"}}]<|END_ACTION|>`,
    ],
    ['InternLM', '<|action_start|><|interpreter|>\nprint(1)<|action_end|>'],
    ['Phi 4', `<|tool_call|>[${json}]<|/tool_call|>`],
    ['Nemotron', `<TOOLCALL>[${json}]</TOOLCALL>`],
    ['Llama with a call', `<|python_tag|>${json}<|eom_id|>`],
    ['Llama 4', '<|python_start|>[python(code="print(1)")]<|python_end|>'],
    [
      'MiniMax',
      '<minimax:tool_call>\n<invoke name="python">\n<parameter name="code">print(1)</parameter>\n</invoke>\n</minimax:tool_call>',
    ],
    [
      'DeepSeek 3.2',
      '<｜DSML｜function_calls>\n<｜DSML｜invoke name="python">\n<｜DSML｜parameter name="code" string="true">print(1)</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>',
    ],
    [
      'DeepSeek behind a sentence',
      'I look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>python<｜tool▁sep｜>{"code": "print(1)"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    ],
    ['Anthropic with a namespace', inNamespace('x:', 'print(1)')],
    [
      'Anthropic before 2024',
      '<function_calls>\n<invoke>\n<tool_name>python</tool_name>\n<parameters>\n<code>print(1)</code>\n</parameters>\n</invoke>\n</function_calls>',
    ],
    [
      'gpt-oss, the recipient first',
      '<|start|>assistant to=functions.python<|channel|>commentary json<|message|>{"code":"print(1)"}<|call|>',
    ],
    ['LangChain', '```\n{"action": "Python REPL", "action_input": "print(1)"}\n```'],
    ['a list of calls', `{"tool_calls": [${json}]}`],
    ['code with its language', '<code language="python">\nprint(1)\n</code>'],
    ['run_code', '<run_code>\nprint(1)\n</run_code>'],
    ['smolagents', 'Thought: look.\n<code>\nprint(1)\n</code>'],
    ['CodeAct', '<execute>\nprint(1)\n</execute>'],
    ['a fence in a tag', '<execute_python>\n```python\nprint(1)\n```\n</execute_python>'],
  ])('%s runs', (_, reply) => {
    expect(read(reply)).toEqual([cell]);
  });

  test('line ends in the JSON of a call are those of its code', () => {
    const call = '<tool_call>\n{"name": "python", "arguments": {"code": "n = 1\nprint(n)"}}\n</tool_call>';
    expect(read(call)).toEqual(['cell n = 1\nprint(n)']);
  });

  test('text behind a call on its line is read', () => {
    expect(read(`<tool_call>${json}</tool_call> FINAL(2)`)).toEqual([cell, 'final 2']);
    expect(read('Use `<tool_call>{"name": 1}` there.')).toEqual([]);
  });

  test('a shell tool runs in the shell', () => {
    expect(read('<tool_call>{"name": "bash", "arguments": {"command": "ls"}}</tool_call>')).toEqual(['bash ls']);
  });

  it.each([
    '<tool_call>{"name": "search", "arguments": {"query": "x"}}</tool_call>',
    '<tool_call>{"name": "python", "arguments": {}}</tool_call>',
    '<tool_call>{"name": "read_file", "arguments": {"path": "a", "lines": 3}}</tool_call>',
    '<tool_call>not even JSON</tool_call>',
    '<function_calls><invoke name="finish"><parameter name="answer">42</parameter></invoke></function_calls>',
  ])('a call that is not plainly code is answered with the form to use: %s', (reply) => {
    const { commands, rejected } = parseReply(reply);
    expect(commands).toEqual([]);
    expect(rejected[0]?.code).toBe('tool-call');
    expect(rejected[0]?.send).toMatch(/^(```repl\n[\s\S]+\n```|FINAL\("42"\))$/);
  });

  it.each([
    'Use the <code>print</code> function.',
    '<code>print(1)</code> prints a number.',
    'The tag <tool_call> opens a call.',
    '{"name": "Ada", "age": 36}',
  ])('prose and data are not a call: %s', (reply) => {
    expect(read(reply).filter((one) => one.startsWith('cell'))).toEqual([]);
  });
});

describe('code inside an answer does not run', () => {
  const code = '```python\nopen("made-by-answer", "w").write("x")\n```';
  it.each([
    ['triple quotes', `FINAL("""Here it is:\n${code}\nUse it.""")`],
    ['single triple quotes', `FINAL('''Here it is:\n${code}\nUse it.''')`],
    ['no quotes', `FINAL(Here it is:\n${code}\nUse it.)`],
    ['one pair of quotes', `FINAL("Here it is:\n${code}\nUse it.")`],
    ['never closed', `FINAL("""Here it is:\n${code}\nUse it.`],
    ['never closed, without quotes', `FINAL(Here it is:\n${code}\nUse it.`],
    ['two blocks', `FINAL("""First:\n${code}\nthen\n${code}\n""")`],
    ['a command line inside', 'FINAL("""Write\nRUN(rm -rf x)\nand it is gone.""")'],
  ])('%s', (_, reply) => {
    expect(read(reply).filter((one) => one.startsWith('cell') || one.startsWith('bash'))).toEqual([]);
  });

  it('and the whole text is the answer', () => {
    expect(read(`FINAL("""Here it is:\n${code}\nUse it.""")`)).toEqual([`final Here it is:\n${code}\nUse it.`]);
    expect(read(`FINAL(Here it is:\n${code}\nUse it.)`)).toEqual([`final Here it is:\n${code}\nUse it.`]);
  });

  it('a block behind a closed answer still runs', () => {
    expect(read(`FINAL("""done""")\n${block}`)).toEqual(['final done', cell]);
    expect(read(`FINAL('tis the season)\n${block}`)).toEqual(["final 'tis the season", cell]);
  });
});

describe('invented output ends the reply', () => {
  it.each([
    'REPL output:',
    'Output: 5231',
    'Observation: 5231',
    '**Output:**',
    '[t1.0] cell: ok',
    '| 5231',
    'Execution result:',
    'user',
    'User: thanks',
    '<|im_start|>user',
    '<tool_response>',
    '<function_results>',
    '<|observation|>',
    '[TOOL_RESULTS]',
    'EXECUTION RESULT of [python]:',
    'Out[1]: 5231',
    'stdout:',
  ])('%s', (line) => {
    expect(read(`${block}\n\n${line}\n5231\n\n${block}\nFINAL_VAR(text)`)).toEqual([cell, 'invented-output']);
  });

  it('in a fence of its own', () => {
    expect(read(`${block}\n\`\`\`output\n5231\n\`\`\`\nFINAL(5231)`)).toEqual([cell, 'invented-output']);
  });

  it.each([
    'Now I wait for the output.',
    'The output will show the sections.',
    'Next I count:',
    'Results follow in the next turn.',
  ])('prose does not: %s', (line) => {
    expect(read(`${block}\n${line}\n${block}`)).toEqual([cell, cell]);
  });
});

describe('a rejection holds the reply that was meant', () => {
  it.each([
    ['So I answer with FINAL(42).', 'FINAL(42)'],
    ['The result is FINAL_VAR(total), as asked.', 'FINAL_VAR(total)'],
    ['FINAL(42) is the answer.', 'FINAL(42)'],
    ['FINAL("62', 'FINAL("62")'],
    ['FINAL(the key is X', 'FINAL("the key is X")'],
    ['<think>I know it.\nFINAL(42)', 'FINAL(42)'],
    ['<tool_call>{"name": "final_answer", "arguments": {"answer": "Ada"}}</tool_call>', 'FINAL("Ada")'],
    ['<tool_call>{"name": "calc", "arguments": {"code": "print(1)"}}</tool_call>', block],
  ])('%j', (reply, send) => {
    const { rejected } = parseReply(reply);
    expect(rejected[0]?.send).toBe(send);
    expect(parseReply(rejected[0]?.send ?? '').rejected).toEqual([]);
  });

  it('and never a placeholder: what cannot be known is left out', () => {
    for (const reply of ['FINAL()', 'FINAL_VAR()', 'SNAPSHOT()', 'QUERY_LLM_BATCHED([])']) {
      expect(parseReply(reply).rejected[0]?.send).toBeUndefined();
    }
  });
});
