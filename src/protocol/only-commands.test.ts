import { describe, expect, test } from 'vitest';
import { isOnlyCommands } from './only-commands.ts';

describe('a reply that is only commands', () => {
  test.each([
    ['a block of code', '```python\nprint(len(context))\n```'],
    ['two blocks', '```python\na = 1\n```\n\n```repl\nb = 2\n```'],
    ['a block that is not closed', '```python\nprint(1)'],
    ['a lead-in and a block', 'Let me count the words first:\n\n```python\nprint(len(context.split()))\n```'],
    ['a tool call in tags', '<tool_call>\n{"name": "python", "arguments": {"code": "print(1)"}}\n</tool_call>'],
    ['a tool call of an unknown tool', '<tool_call>{"name": "search", "arguments": {"q": "x"}}</tool_call>'],
    ['a tool call as bare JSON', '{"name": "python", "arguments": {"code": "print(1)"}}'],
    ['a command line', 'RUN(ls -l)'],
    ['a final answer that names a variable', '**FINAL_VAR(result)**'],
    ['code between tags', '<execute_python>\nprint(1)\n</execute_python>'],
  ])('%s', (_, reply) => {
    expect(isOnlyCommands(reply)).toBe(true);
  });

  test.each([
    ['prose', 'The letter was written by Ada.'],
    ['an answer with a check behind it', 'There are 12 chapters.\n\n```python\nprint(12)\n```'],
    ['an answer that shows code', 'Use this function:\n\n```python\ndef f(): ...\n```\n\nIt returns nothing.'],
    ['JSON data', '{"chapters": 12}'],
    ['JSON data in a fence', '```json\n{"chapters": 12}\n```'],
    ['a list', '- Ada\n- Grace'],
    ['nothing', ''],
  ])('is not %s', (_, reply) => {
    expect(isOnlyCommands(reply)).toBe(false);
  });
});
