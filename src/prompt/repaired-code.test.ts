import { describe, expect, test } from 'vitest';
import { answerByOtherName, repairedCode } from './repaired-code.ts';

const syntax = (code: string, type = 'SyntaxError') =>
  repairedCode({ code, error: { type, message: 'invalid syntax' } });
const block = (code: string): string => `\`\`\`repl\n${code}\n\`\`\``;

describe('code that is not Python is given back as it was meant', () => {
  test.each([
    ['a console with its output', '>>> x = 6\n>>> print(x*7)\n42', 'x = 6\nprint(x*7)'],
    ['a loop in a console', '>>> for i in range(2):\n...     print(i)\n...', 'for i in range(2):\n    print(i)'],
    ['IPython', 'In [1]: n = 6', 'n = 6'],
    ['numbers of lines', ' 1 | x = 6\n 2 |     \n10 | print(x)', 'x = 6\n    \nprint(x)'],
    ['numbers with colons', '1: x = 6\n2: print(x)', 'x = 6\nprint(x)'],
    ['a magic command', '%time print(6)', 'print(6)'],
    ['a magic cell', '%%capture out\nprint(6)', 'print(6)'],
    ['typographic quotes', 'print(“a”, ‘b’)', 'print("a", \'b\')'],
    ['blanks that do not break', 'x\u00a0= 6', 'x = 6'],
    ['invisible characters', 'x\u200b = 6\u2060', 'x = 6'],
    ['entities of HTML', 'print(&quot;a&quot; if 1 &lt; 2 else &#39;b&#39;)', 'print("a" if 1 < 2 else \'b\')'],
    ['a return of the answer', 'x = 1\nreturn FINAL(x)', 'x = 1\nFINAL(x)'],
    ['a return of a value', 'return len(context)', 'print(len(context))'],
  ])('%s', (_, code, meant) => {
    expect(syntax(code)?.send).toBe(block(meant));
  });

  test('commands of a notebook for a shell are a block of bash', () => {
    expect(syntax('!ls -l\n!wc -l context')?.send).toBe('```bash\nls -l\nwc -l context\n```');
  });

  test.each(['The answer is 42', 'There are 3 cats, and 2 dogs.', 'Emma wrote it'])('a sentence: %s', (sentence) => {
    expect(syntax(sentence)?.send).toBe(`FINAL(${JSON.stringify(sentence)})`);
  });

  test.each(['print(1', 'x = = 2', 'def f(:\n  pass', 'if a != b\n  pass', 'x = 7 % 2 3'])('nothing for %j', (code) => {
    expect(syntax(code)).toBeUndefined();
  });

  test('nothing for code that Python could read', () => {
    expect(syntax('print("“")', 'ValueError')).toBeUndefined();
    expect(repairedCode({ code: 'print("“")', error: undefined })).toBeUndefined();
  });

  test.each(['A, ', 'A a', '&amp', '>>> \n', '1 |', '“ ', 'return \n', '%', '! '])(
    '%j repeated costs little',
    (piece) => {
      const before = process.cpuUsage();
      syntax(piece.repeat(20_000 / piece.length));
      expect(syntax(piece.repeat(1_000_000))).toBeUndefined();
      const { user } = process.cpuUsage(before);
      expect(user / 1_000).toBeLessThan(1_000);
    },
  );
});

test.each(['final_answer', 'FINAL_ANSWER', 'Final', 'submit_answer', 'finish'])('an answer by %s in code', (name) => {
  const error = { type: 'NameError', message: `name '${name}' is not defined` };
  expect(answerByOtherName({ code: `x = 1\n${name}(x)`, error })?.send).toBe(block('x = 1\nFINAL(x)'));
  expect(answerByOtherName({ code: 'y', error: { type: 'NameError', message: "name 'y'" } })).toBeUndefined();
});
