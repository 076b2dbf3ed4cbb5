import { describe, expect, it } from 'vitest';
import { cell, checkEvents, play, promptOf } from './harness.ts';

const CONTEXT = 'alpha\nbeta\ngamma';

describe('a final answer', () => {
  it('by variable is taken at once', async () => {
    const { result, events } = await play({
      context: CONTEXT,
      root: [`${cell('n = len(context.split())')}\nFINAL_VAR(n)`],
    });
    expect(result).toMatchObject({
      outcome: 'converged',
      stop: 'final-var',
      answer: '3',
      text: '3',
      turns: 1,
      subCalls: 0,
    });
    expect(checkEvents(events)).toEqual([]);
  });

  it('by identifier is the variable’s value', async () => {
    const { result } = await play({ context: CONTEXT, root: [cell('found = "beta"'), 'FINAL(found)'] });
    expect(result).toMatchObject({ stop: 'final', answer: 'beta', turns: 2 });
  });

  it('by f-string is evaluated in the REPL', async () => {
    const { result } = await play({ context: CONTEXT, root: [cell('n = 3'), 'FINAL(f"{n} words, {context[:5]!r}")'] });
    expect(result.answer).toBe("3 words, 'alpha'");
  });

  it('as text is the text', async () => {
    const { result } = await play({ context: CONTEXT, root: [cell('print(context)'), 'FINAL(three words)'] });
    expect(result).toMatchObject({ stop: 'final', answer: 'three words' });
  });

  it('from code ends the cell', async () => {
    const { result } = await play({ context: CONTEXT, root: [cell('FINAL(context.count("a"))', 'print("never")')] });
    expect(result).toMatchObject({ stop: 'final', answer: '5', turns: 1 });
    expect(result.trajectory.turns[0]?.commands[0]?.stdout).toBe('');
  });

  it('from code counts when the code swallows its exception: the first value wins', async () => {
    const { result } = await play({
      context: CONTEXT,
      root: [cell('try:', '    FINAL("first")', 'except BaseException:', '    pass', 'FINAL("second")')],
    });
    expect(result.answer).toBe('first');
  });

  it('by the answer dictionary is read at the end of the cell', async () => {
    const { result } = await play({
      context: CONTEXT,
      root: [cell('answer["content"] = "beta"', 'answer["ready"] = True')],
    });
    expect(result).toMatchObject({ outcome: 'converged', answer: 'beta' });
  });

  it('of a value that is JSON is JSON text, of another its str()', async () => {
    const json = await play({ context: CONTEXT, root: [cell('FINAL({"a": (1, None, True)})')] });
    expect(json.result.answer).toBe('{"a": [1, null, true]}');
    const other = await play({ context: CONTEXT, root: [cell('FINAL({1, })')] });
    expect(other.result.answer).toBe('{1}');
  });

  it('needs no code where there is no context', async () => {
    const { result } = await play({ root: ['FINAL(42)'] });
    expect(result).toMatchObject({ answer: '42', turns: 1 });
  });
});

describe('commands after a final answer', () => {
  it('are not run, and reported', async () => {
    const { result, events } = await play({ root: [`FINAL(done now)\n${cell('open("x", "w")')}`] });
    expect(result.answer).toBe('done now');
    expect(events.filter((event) => event.type === 'command.rejected')).toMatchObject([
      { code: 'after-final', excerpt: 'cell' },
    ]);
    expect(events.some((event) => event.type === 'cell.started')).toBe(false);
  });
});

describe('a refused answer', () => {
  it('comes before any code looked at the context', async () => {
    const { result, root } = await play({
      context: CONTEXT,
      root: ['FINAL(a guess)', cell('print(context[:5])'), 'FINAL(alpha)'],
    });
    expect(result).toMatchObject({ answer: 'alpha', turns: 3 });
    expect(promptOf(root, 1)).toContain('no code has looked at the context yet');
  });

  it('comes beside code whose output the model has not seen', async () => {
    const { result, root } = await play({
      context: CONTEXT,
      root: [`${cell('print(len(context))')}\nFINAL(a guess)`, 'FINAL(16)'],
    });
    expect(result).toMatchObject({ answer: '16', turns: 2 });
    expect(promptOf(root, 1)).toContain('before you saw the output');
    expect(promptOf(root, 1)).toContain('16');
  });

  it('is taken where inspection is not required', async () => {
    const { result } = await play({
      context: CONTEXT,
      root: ['FINAL(a guess)'],
      options: { requireInspection: false },
    });
    expect(result.answer).toBe('a guess');
  });

  it('comes beside a failed cell, also by variable', async () => {
    const { result, root } = await play({
      context: CONTEXT,
      root: [`${cell('x = 1', '1/0')}\nFINAL_VAR(x)`, 'FINAL_VAR(x)'],
    });
    expect(result).toMatchObject({ answer: '1', turns: 2 });
    expect(promptOf(root, 1)).toContain('had not seen the error');
    expect(promptOf(root, 1)).toContain('ZeroDivisionError');
  });

  it('names an unknown variable; the names that exist are listed', async () => {
    const { result, root } = await play({
      context: CONTEXT,
      root: [cell('found = "beta"'), 'FINAL_VAR(fuond)', 'FINAL_VAR(found)'],
    });
    expect(result.answer).toBe('beta');
    expect(promptOf(root, 2)).toContain('there is no variable fuond');
    expect(promptOf(root, 2)).toContain('found');
  });

  it('is an unbound name that looks like a variable, once', async () => {
    const { result } = await play({ context: CONTEXT, root: [cell('1'), 'FINAL(my_result)', 'FINAL(my_result)'] });
    expect(result).toMatchObject({ answer: 'my_result', turns: 3 });
  });

  it('is empty', async () => {
    const { result, root } = await play({
      context: CONTEXT,
      root: [cell('e = ""'), 'FINAL_VAR(e)', cell('FINAL(None)'), cell('FINAL("x")')],
    });
    expect(result).toMatchObject({ answer: 'x', turns: 4 });
    expect(promptOf(root, 2)).toContain('it is empty');
  });

  it('is over answerBytes: both sizes are named', async () => {
    const { result, root } = await play({
      context: CONTEXT,
      limits: { answerBytes: 100 },
      root: [cell('FINAL("x" * 200)'), cell('FINAL("short")')],
    });
    expect(result.answer).toBe('short');
    expect(promptOf(root, 1)).toMatch(/200.*100|100.*200/s);
  });

  it.each(['FINAL_VAR(v)', 'FINAL(v)', 'FINAL(f"{v}")'])('is over answerBytes by name: %s', async (answer) => {
    const { result, root } = await play({
      context: CONTEXT,
      limits: { answerBytes: 100 },
      root: [`${cell('v = "x" * 200')}\n${answer}`, cell('FINAL("short")')],
    });
    expect(result.answer).toBe('short');
    expect(promptOf(root, 1)).toMatch(/200.*100|100.*200/s);
  });

  it('does not keep what follows it from running', async () => {
    const { result, root } = await play({
      context: CONTEXT,
      root: [`FINAL(a guess)\n${cell('print("ran")')}`, 'FINAL(ok then)'],
    });
    expect(result.answer).toBe('ok then');
    expect(promptOf(root, 1)).toContain('ran');
  });
});
