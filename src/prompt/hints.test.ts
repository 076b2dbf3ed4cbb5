import { describe, expect, it } from 'vitest';
import { type CellFacts, HUGE_PROMPT_CHARS, hintsFor, MANY_SINGLE_CALLS } from './hints.ts';

const FINE: CellFacts = {
  ...{ code: 'x = 1', ok: true, error: undefined, unclosed: false, answered: false },
  ...{ singleCalls: 0, longestPrompt: 0, rebound: [] },
};

const block = (...lines: string[]): string => `\`\`\`repl\n${lines.join('\n')}\n\`\`\``;

/** The text of the hints, and the texts to send. */
function given(facts: Partial<CellFacts>): { readonly text: string; readonly send: readonly (string | undefined)[] } {
  const notes = hintsFor({ ...FINE, ...facts });
  return { text: notes.map(({ text }) => text).join('\n'), send: notes.map(({ send }) => send) };
}

function failed(type: string, message: string, code: string): Partial<CellFacts> {
  return { code, ok: false, error: { type, message } };
}

describe('a hint after a failed cell', () => {
  it.each<readonly [string, Partial<CellFacts>, RegExp, string | undefined]>([
    [
      'an answer without quotes',
      failed('SyntaxError', 'invalid syntax', 'FINAL(Answer: 62)'),
      /needs quotes: FINAL\("Answer: 62"\)/,
      block('FINAL("Answer: 62")'),
    ],
    [
      'the same behind other code',
      failed('SyntaxError', 'invalid syntax', 'n = 62\nif n:\n    FINAL(the answer is 62)'),
      /needs quotes/,
      block('n = 62', 'if n:', '    FINAL("the answer is 62")'),
    ],
    [
      'the same with an apostrophe',
      failed('SyntaxError', 'unterminated string literal', "FINAL(Ada's key)"),
      /needs quotes/,
      block('FINAL("Ada\'s key")'),
    ],
    [
      'a value behind a label',
      failed('SyntaxError', 'invalid syntax', 'FINAL(Answer: {"n": 62})'),
      /needs quotes/,
      block('FINAL({"n": 62})'),
    ],
    [
      'an import that is missing',
      failed('NameError', "name 'datetime' is not defined", 'print(datetime.now())'),
      /from datetime import datetime/,
      block('from datetime import datetime', 'print(datetime.now())'),
    ],
    [
      'the module datetime',
      failed('NameError', "name 'datetime' is not defined", 'print(datetime.datetime.now())'),
      /import datetime/,
      block('import datetime', 'print(datetime.datetime.now())'),
    ],
    [
      'a module',
      failed('NameError', "name 're' is not defined. Did you forget to import 're'?", 'print(re.findall("a", "a"))'),
      /import re/,
      block('import re', 'print(re.findall("a", "a"))'),
    ],
    [
      'a name of a module',
      failed('NameError', "name 'Counter' is not defined", 'Counter("a")'),
      /from collections import Counter/,
      block('from collections import Counter', 'Counter("a")'),
    ],
    [
      'pandas by its alias',
      failed('NameError', "name 'pd' is not defined", 'pd.read_csv("x")'),
      /csv, json and collections/,
      block('import csv, io', 'rows = list(csv.DictReader(io.StringIO(str(context))))', 'print(len(rows), rows[:3])'),
    ],
    [
      'a package that the code does not use',
      failed('ModuleNotFoundError', "No module named 'numpy'", 'import numpy as np\nprint(len(context))'),
      /statistics, math and random/,
      block('print(len(context))'),
    ],
    [
      'a package that the code uses',
      failed('ModuleNotFoundError', "No module named 'numpy'", 'import numpy as np\nprint(np.mean([1]))'),
      /statistics, math and random/,
      undefined,
    ],
    [
      'a package with no counterpart',
      failed('ModuleNotFoundError', "No module named 'foo.bar'", 'from foo.bar import x\nprint(x)'),
      /foo is not installed.*standard library/,
      undefined,
    ],
    [
      'a block that was cut',
      { ...failed('SyntaxError', "'(' was never closed", 'print(len(con'), unclosed: true },
      /no closing ``` and ends in the middle of a line/,
      '```repl\nprint(type(context), len(context))\nprint(str(context)[:1000])\n```',
    ],
  ])('%s', (_, facts, text, send) => {
    expect(given(facts).text).toMatch(text);
    expect(given(facts).send).toEqual([send]);
  });

  it.each<readonly [string, Partial<CellFacts>]>([
    ['an ordinary error', failed('ValueError', 'no', 'int("x")')],
    ['an unknown name', failed('NameError', "name 'rows' is not defined", 'print(rows)')],
    ['a closed block with a mistake', failed('SyntaxError', "'(' was never closed", 'print(len(con')],
    ['a syntax error beside a right answer', failed('SyntaxError', 'invalid syntax', 'x = = 1\nFINAL("62")')],
  ])('is not given for %s', (_, facts) => {
    expect(given(facts).send).toEqual([]);
  });
});

describe('a hint after a cell', () => {
  it.each<readonly [string, Partial<CellFacts>, RegExp, readonly (string | undefined)[]]>([
    ['an answer in a comment', { code: 'uuid = 1\n# FINAL_VAR(uuid)' }, /a comment is not run/, ['FINAL_VAR(uuid)']],
    ['a text in a comment', { code: '#FINAL("62")' }, /a comment is not run/, ['FINAL("62")']],
    ['an overwritten draft', { rebound: ['answer'] }, /Did you mean FINAL_VAR\(answer\)\?/, ['FINAL_VAR(answer)']],
    ['single calls', { singleCalls: MANY_SINGLE_CALLS }, /20 single calls.*llm_query_batched/, [undefined]],
    ['a prompt', { longestPrompt: 467_636 }, /467636 characters/, [undefined]],
  ])('%s', (_, facts, text, send) => {
    expect(given(facts).text).toMatch(text);
    expect(given(facts).send).toEqual(send);
  });

  it.each<readonly [string, Partial<CellFacts>]>([
    ['a comment beside an answer', { code: '# FINAL_VAR(x)\nFINAL(x)', answered: true }],
    ['a comment about something else', { code: '# then FINAL_VAR(x) gives it' }],
    ['another reserved name', { rebound: ['context'] }],
    ['few single calls', { singleCalls: MANY_SINGLE_CALLS - 1 }],
    ['a large prompt that is not far too large', { longestPrompt: HUGE_PROMPT_CHARS - 1 }],
  ])('is not given for %s', (_, facts) => {
    expect(given(facts).send).toEqual([]);
  });
});
