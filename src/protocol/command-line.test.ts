import { describe, expect, it } from 'vitest';
import { parseReply } from './index.ts';

/** Each command as its type and main field, each rejection as its code, commands first. */
function read(reply: string, finishReason = 'stop'): string[] {
  const { commands, rejected } = parseReply(reply, { finishReason });
  return [
    ...commands.map(({ type, ...fields }) => `${type} ${Object.values(fields).at(-1)}`),
    ...rejected.map(({ code }) => code),
  ];
}

describe('a command line', () => {
  it.each(['- ', '* ', '+ ', '• ', '12. ', '3) ', '> ', '> - ', '**', '1. **`', '\t', '```'])(
    'may begin with %j',
    (decoration) => {
      expect(read(`${decoration}RUN(ls)${decoration === '```' ? '```' : ''}`)).toEqual(['bash ls']);
    },
  );

  it.each(['-', 'Now: ', '1.', 'a. ', '_', '"', '#'])('does not begin after %j', (text) => {
    expect(read(`${text}RUN(ls)`)).toEqual(text === '_' ? [] : ['not-at-line-start']);
  });

  it.each(['run(ls)', 'Run(ls)', 'RUNS(ls)', 'RUN_IT(ls)', 'RUN[ls]', 'RUN\n(ls)', 'FINALVAR(x)'])(
    'is not %j',
    (line) => {
      expect(read(line)).toEqual([]);
    },
  );

  it('may have blanks before its parenthesis, and decoration behind', () => {
    expect(read('**`RUN \t(ls)`.**;')).toEqual(['bash ls']);
  });
});

describe('an argument', () => {
  it.each([
    ['may be a literal on lines of its own', 'FINAL(\n  """a)\n"b" """\n)', ['final a)\n"b" ']],
    ['may be a single-quoted literal over lines', 'FINAL("1) a\n2) b")', ['final 1) a\n2) b']],
    ['that is more than one literal is text', 'FINAL("a" "b")', ['final "a" "b"']],
    ['has its parentheses in quotes protected', 'RUN(grep ")" f | grep \'(\')', ['bash grep ")" f | grep \'(\'']],
    ['has escaped quotes in quotes', 'RUN(grep "\\")" f)', ['bash grep "\\")" f']],
    ['has apostrophes that do not quote', "FINAL(it's ( d'un été) l'a)", ["final it's ( d'un été) l'a"]],
    ['has apostrophes inside quotes', "FINAL(say 'it's (' ok)", ["final say 'it's (' ok"]],
    [
      'has string prefixes, whose quotes are not apostrophes',
      "CODE(f(b')', Rb')', u')', F'('))",
      ["cell f(b')', Rb')', u')', F'(')"],
    ],
    ['has a quote that never closes as a character', 'FINAL(5" (or 4\') wide)', ['final 5" (or 4\') wide']],
    ['ends on its own line where it can', "FINAL(the dogs' bowl)\nthe cats' (bowl)", ["final the dogs' bowl"]],
    ['continues over lines where it must', 'CODE(f(\n")",\n1))', ['cell f(\n")",\n1)']],
    ['has quotes over several lines', 'RUN(echo "one\ntwo)\nthree")', ['bash echo "one\ntwo)\nthree"']],
    ['has a triple quote that goes past its line', "CODE(s = '''a)\nb'''\n)", ["cell s = '''a)\nb'''"]],
    ['has a triple quote that never closes', "FINAL(a ''' b)\nmore", ["final a ''' b"]],
    [
      'over lines has quotes that never close',
      "FINAL(the dogs'\nbowl \" and ''' more)\nmore",
      ["final the dogs'\nbowl \" and ''' more"],
    ],
    ['does not reach over a fence', 'FINAL(a\n```text\n)\n```', ['unbalanced']],
    ['does not reach over a command line', 'FINAL(a\n- RUN(ls)', ['bash ls', 'unbalanced']],
    ['as a literal does', 'FINAL("""a\n```text\n```\n""")', ['final a\n```text\n```\n']],
  ])('%s', (_, reply, expected) => {
    expect(read(reply)).toEqual(expected);
  });

  it('that is open when the reply hits its limit is cut off', () => {
    expect(read('FINAL("a', 'length')).toEqual(['cut-off']);
    expect(read('FINAL("a\nRUN(ls)', 'length')).toEqual(['bash ls', 'unbalanced']);
  });
});

describe('after the closing parenthesis', () => {
  it.each([
    ['a surplus one extends the argument', 'FINAL(:) and :) ok)', ['final :) and :) ok']],
    ['also of a literal, which is then text', 'FINAL("a") or ("b"))', ['final "a") or ("b")']],
    ['on the line where the argument closes', 'RUN(case x in\na) echo;; esac)', ['bash case x in\na) echo;; esac']],
    ['other text is refused', 'RUN(ls) # list', ['trailing-text']],
    ['also where more lines would balance', 'FINAL(smile :) and\nmore)', ['trailing-text']],
    ['a semicolon lets the line be read on', 'RUN(a); RUN(b) ;**RUN(c)**', ['bash a', 'bash b', 'bash c']],
    [
      'the next command does not count as surplus',
      'RUN(a); RUN(case x in b) c;; esac); RUN(d)',
      ['bash a', 'bash case x in b) c;; esac', 'bash d'],
    ],
    [
      'a refused command does not take the next one along',
      'RUN(a) b; RUN("c", d); RUN(e)',
      ['bash e', 'trailing-text', 'extra-arguments'],
    ],
    ['prose behind a semicolon does not matter', 'RUN(a); that (I hope) is RUN(b)', ['bash a']],
    [
      'the argument after a semicolon may continue over lines',
      'RUN(a); RUN("b\nc"); RUN(d)',
      ['bash a', 'bash b\nc', 'bash d'],
    ],
    [
      'a comma behind a literal is refused, over lines too',
      'QUERY_LLM("a",\n  model="b")\nRUN(c)',
      ['bash c', 'extra-arguments'],
    ],
  ])('%s', (_, reply, expected) => {
    expect(read(reply)).toEqual(expected);
  });
});

describe('a command in the middle of a line', () => {
  it('is reported once for each line when the reply holds no command', () => {
    expect(read('Either RUN(a) or RUN (b).\nThen FINAL(c).')).toEqual(['not-at-line-start', 'not-at-line-start']);
  });

  it('is not reported beside a command, before it or after it, valid or not', () => {
    expect(read('Then RUN(a).\nRUN(b)\nThen RUN(c).')).toEqual(['bash b']);
    expect(read('Then RUN(a).\nRUN()')).toEqual(['empty']);
  });
});

describe('a final answer behind a quote mark', () => {
  it.each(['> ', '>', '>> ', '> > ', '- > ', '> - ', '> **', '`> ', '1. > '])('is a quotation: %j', (marks) => {
    expect(read(`${marks}FINAL(x)`)).toEqual(['quotation']);
    expect(read(`${marks}FINAL_VAR(x)`)).toEqual(['quotation']);
    expect(read(`${marks.replaceAll('>', '')}FINAL(x)`)).toEqual(['final x']);
  });

  it.each([
    ['whatever its argument', '> FINAL()\n> FINAL_VAR(no-name)\n> FINAL("a", b)\n> FINAL(a) b', ['quotation', 4]],
    ['over lines', '> FINAL("a\n> b")', ['quotation', 1]],
    ['never closed', '> FINAL(a', ['quotation', 1]],
    ['further on in a quoted line', '> FINAL(a); FINAL(b); FINAL_VAR(c)', ['quotation', 3]],
    ['in a line whose quoted part begins later', 'RUN(); > FINAL(b)', ['quotation', 1]],
  ])('is one %s', (_, reply, [code, count]) => {
    expect(read(reply).filter((one) => one === code)).toHaveLength(count as number);
    expect(read(reply).filter((one) => one.startsWith('final'))).toEqual([]);
  });

  it('is reported with the form that counts', () => {
    expect(parseReply('> FINAL(42)').rejected[0]?.message).toBe(
      'Read "FINAL(42)": a final answer behind a quote mark (>) is a quotation and does not count; ' +
        'to answer, write FINAL("your answer") without the mark.',
    );
  });

  it('does not keep reasoning that ends later from being reasoning', () => {
    expect(read('> FINAL(a)\n</think>\nRUN(ls)')).toEqual(['bash ls']);
  });

  it.each(['RUN(ls)', 'CODE(ls)', 'QUERY_LLM(ls)', 'SNAPSHOT(ls)', 'ROLLBACK(ls)'])('is not one: > %s', (command) => {
    expect(read(`> ${command}`)).toEqual(read(command));
  });
});
