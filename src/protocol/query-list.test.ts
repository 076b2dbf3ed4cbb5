import { describe, expect, it } from 'vitest';
import { readQueryList } from './query-list.ts';

describe('a list of queries', () => {
  it.each([
    ['["a", \'b\', """c\nd""", r"e\\n", u"f"]', ['a', 'b', 'c\nd', 'e\\n', 'f']],
    ['[ "a" "b"\n  "c" , # a comment, with ] in it\n]', ['abc']],
    ['["\\u00e9\\n"]', ['é\n']],
    ['[]', []],
    [
      '[{"prompt": "a"}, {\'prompt\': \'b\', "model": "m", "system": "s", "max_tokens": 1_000,}]',
      [{ prompt: 'a' }, { prompt: 'b', model: 'm', system: 's', max_tokens: 1000 }],
    ],
    ['[{"prompt": "a", "model": None, "max_tokens": null}]', [{ prompt: 'a' }]],
  ])('may be %j', (text, items) => {
    expect(readQueryList(text)).toEqual({ type: 'items', items });
  });

  it.each([
    ['hello', 'invalid-list', 'the argument is not a list'],
    ['("a", "b")', 'invalid-list', 'the argument is not a list'],
    ['["a"', 'invalid-list', 'the list has no closing bracket'],
    ['["a",', 'invalid-list', 'the list has no closing bracket'],
    ['["a"] + b', 'invalid-list', 'text follows the list'],
    ['["a"], model="m"', 'extra-arguments', 'a comma follows the list'],
    ['["a", 1]', 'invalid-item', 'item 2 is neither a plain string nor a dict'],
    ['[f"{a}"]', 'invalid-item', 'item 1 is neither a plain string nor a dict'],
    ['["a", ["b"]]', 'invalid-item', 'item 2 is neither a plain string nor a dict'],
    ['["a" + b]', 'invalid-item', 'item 1 is more than a string or a dict'],
    ['["a", " "]', 'invalid-item', 'item 2 is an empty prompt'],
    ['[{"prompt": ""}]', 'invalid-item', 'item 1 has no prompt'],
    ['[{}]', 'invalid-item', 'item 1 has no prompt'],
    ['[{"prompt": 1}]', 'invalid-item', 'item 1 needs a string as prompt'],
    ['[{"prompt": None}]', 'invalid-item', 'item 1 needs a string as prompt'],
    ['[{"prompt": "a", "max_tokens": 0.5}]', 'invalid-item', 'item 1 needs a positive whole max_tokens'],
    ['[{"prompt": "a", "max_tokens": true}]', 'invalid-item', 'item 1 needs a positive whole max_tokens'],
    ['[{"prompt": [1]}]', 'invalid-item', 'item 1 has no plain value for "prompt"'],
    [
      '[{"__proto__": "a"}]',
      'invalid-item',
      'item 1 has the unknown key "__proto__" (known: prompt, system, model, max_tokens)',
    ],
    ['[{prompt: "a"}]', 'invalid-item', 'item 1 is not a well-formed dict'],
    ['[{"prompt": "a"', 'invalid-item', 'item 1 is not a well-formed dict'],
  ])('is refused as %j: %s', (text, code, problem) => {
    expect(readQueryList(text)).toEqual({ type: 'problem', code, problem });
  });
});
