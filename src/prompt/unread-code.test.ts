import { describe, expect, test } from 'vitest';
import { commandInBlock, unreadCode } from './unread-code.ts';

const block = (code: string): string => `\`\`\`repl\n${code}\n\`\`\``;

describe('code in a form that is not read is given back in a block', () => {
  test.each([
    ['line ends written as escapes', '```python\\nx = 6\\nprint(x)\\n```', 'x = 6\nprint(x)'],
    ['two backticks', '``python\nprint(6)\n``', 'print(6)'],
    ['three quotation marks', '"""python\nprint(6)\n"""', 'print(6)'],
    ['a prompt of IPython', 'In [1]: print(6)', 'print(6)'],
    ['a console with output', '>>> print(6)\n6', 'print(6)'],
    ['a call alone', 'print(context[:1000])', 'print(context[:1000])'],
    ['lines of code alone', 'import re\nfor line in context.split("\\n"):\n    print(line)', undefined],
    ['an assignment', 'rows = context.splitlines()\nprint(rows[:3])', undefined],
  ])('%s', (_, reply, code) => {
    expect(unreadCode(reply)?.send).toBe(block(code ?? reply));
  });

  test.each([
    ['a sentence', 'The vault is 77.'],
    ['a number', '42'],
    ['a sentence with a call in it', 'Use print(x) to see it.'],
    ['code behind a sentence', 'I look:\nprint(context)'],
    ['a list', '- one\n- two'],
    ['JSON', '{"n": 2}'],
    ['a name', 'Mr. Darcy (of Pemberley)'],
    ['nothing', '   \n'],
  ])('%s is not code', (_, reply) => {
    expect(unreadCode(reply)).toBeUndefined();
  });

  test('a megabyte costs no time', () => {
    expect(unreadCode(`"""python\n${' \n'.repeat(500_000)}`)).toBeUndefined();
  });
});

test.each([
  ['```text\nFINAL(42)\n```', 'FINAL(42)'],
  ['Here it is:\n```markdown\n\nFINAL("a b")\n```', 'FINAL("a b")'],
  ['~~~txt\nFINAL_VAR(n)\n~~~', 'FINAL_VAR(n)'],
  ['```text\nUse FINAL(42) to answer.\n```', undefined],
  ['```sql\nSELECT 1\n```', undefined],
])('the command that a block of another tag holds: %j', (reply, command) => {
  expect(commandInBlock(reply)).toBe(command);
});
