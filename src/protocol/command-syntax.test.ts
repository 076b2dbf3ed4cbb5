import { describe, expect, it } from 'vitest';
import type { Command, RejectionCode } from './command.ts';
import { parseReply } from './index.ts';

describe('a command means', () => {
  const cases: readonly (readonly [string, Command])[] = [
    ['FINAL(x_1)', { type: 'final', form: 'identifier', value: 'x_1' }],
    ['FINAL("x_1")', { type: 'final', form: 'literal', value: 'x_1' }],
    ['FINAL(x.y)', { type: 'final', form: 'text', value: 'x.y' }],
    ['FINAL(1x)', { type: 'final', form: 'text', value: '1x' }],
    ['FINAL(" a ")', { type: 'final', form: 'literal', value: ' a ' }],
    ["FINAL(r'C:\\n')", { type: 'final', form: 'literal', value: 'C:\\n' }],
    ["FINAL(u'é')", { type: 'final', form: 'literal', value: 'é' }],
    ['FINAL(b"a")', { type: 'final', form: 'text', value: 'b"a"' }],
    [
      'FINAL("\\x41\\u00e9\\U0001F600\\101\\0\\q\\\na\\N{DASH}")',
      { type: 'final', form: 'literal', value: 'Aé😀A\0\\qa\\N{DASH}' },
    ],
    ['FINAL("\\ud83d\\ude00\\U00110000")', { type: 'final', form: 'literal', value: '😀\\U00110000' }],
    ["FINAL(F'{x}')", { type: 'final', form: 'f-string', value: "F'{x}'" }],
    ['FINAL(rf"""{x}\n""")', { type: 'final', form: 'f-string', value: 'rf"""{x}\n"""' }],
    ['FINAL(f"{d["k"]} {{ {y:{w}}")', { type: 'final', form: 'f-string', value: 'f"{d["k"]} {{ {y:{w}}"' }],
    ['FINAL(f"{x}" + f"{y}")', { type: 'final', form: 'text', value: 'f"{x}" + f"{y}"' }],
    ['FINAL_VAR( " größe " )', { type: 'final-var', name: 'größe' }],
    ['RUN(\n  ls\n)', { type: 'bash', command: 'ls' }],
    ['CODE(\n  if x:\n    y\n)', { type: 'cell', code: 'if x:\n  y' }],
    ['CODE("""\n  if x:\n    y\n""")', { type: 'cell', code: '\nif x:\n  y\n' }],
    ['SNAPSHOT(0.a_B-c)', { type: 'snapshot', name: '0.a_B-c' }],
    [`ROLLBACK('${'a'.repeat(64)}')`, { type: 'rollback', name: 'a'.repeat(64) }],
    ['QUERY_LLM("a\\tb")', { type: 'query-llm', prompt: 'a\tb' }],
  ];
  it.each(cases)('%j', (reply, command) => {
    expect(parseReply(reply)).toEqual({ commands: [command], rejected: [] });
  });
});

describe('a command is refused', () => {
  const cases: readonly (readonly [string, RejectionCode, string])[] = [
    ['FINAL( )', 'empty', 'FINAL("your answer")'],
    ['FINAL(f" ")', 'empty', 'FINAL("your answer")'],
    ["CODE('''\n''')", 'empty', 'CODE(python code)'],
    ['FINAL_VAR("")', 'empty', 'FINAL_VAR(variable_name)'],
    ['FINAL_VAR(a b)', 'invalid-name', 'FINAL("a b")'],
    ['FINAL_VAR(a.b)', 'invalid-name', 'FINAL("a.b")'],
    ['SNAPSHOT(.a)', 'invalid-name', 'SNAPSHOT(name)'],
    ['SNAPSHOT(é)', 'invalid-name', 'SNAPSHOT(name)'],
    [`ROLLBACK(${'a'.repeat(65)})`, 'invalid-name', 'ROLLBACK(name)'],
    ['QUERY_LLM()', 'empty', 'QUERY_LLM(your question)'],
    ['QUERY_LLM_BATCHED([])', 'empty', 'QUERY_LLM_BATCHED(["first question", "second question"])'],
  ];
  it.each(cases)('%j: %s', (reply, code, form) => {
    const { commands, rejected } = parseReply(reply);
    expect(commands).toEqual([]);
    expect(rejected.map((rejection) => rejection.code)).toEqual([code]);
    expect(`${rejected[0]?.message} ${rejected[0]?.send}`).toContain(form);
  });

  it('in one sentence that says what was read, what is wrong and the right form', () => {
    expect(parseReply('- FINAL_VAR(my-var).').rejected).toEqual([
      {
        code: 'invalid-name',
        excerpt: 'FINAL_VAR(my-var)',
        message:
          'Read "FINAL_VAR(my-var)": FINAL_VAR takes the name of a variable, and this is a value; send exactly this and nothing else.',
        send: 'FINAL("my-var")',
      },
    ]);
  });

  it('with an excerpt that is short, on one line and well-formed', () => {
    const [rejection] = parseReply(`SNAPSHOT(a\n${'😀'.repeat(100)})`).rejected;
    expect(rejection?.excerpt).toMatch(/^SNAPSHOT\(a 😀+…$/u);
    expect(rejection?.excerpt.length).toBeLessThanOrEqual(81);
  });
});
