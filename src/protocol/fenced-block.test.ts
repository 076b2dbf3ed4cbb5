import { describe, expect, it } from 'vitest';
import { parseReply } from './index.ts';

function cells(reply: string, finishReason = 'stop'): string[] {
  return parseReply(reply, { finishReason }).commands.map((command) =>
    command.type === 'cell' ? command.code : command.type,
  );
}

function codes(reply: string, finishReason = 'stop'): string[] {
  return parseReply(reply, { finishReason }).rejected.map(({ code }) => code);
}

describe('a fenced block', () => {
  it.each([
    ['has its tag in the first word', '``` Py title="a"\nx\n```', ['x']],
    ['does not open with a backtick after the opening ones', '```python` is a tag\nFINAL_VAR(x)', ['final-var']],
    ['may stand in a list', '- ```python\n  x\n  ```\n2) ```python\n   y\n   ```', ['x', 'y']],
    ['closes with more of its character', '```python\nx\n`````', ['x']],
    ['does not close with fewer', '````python\nx\n```\n````', ['x\n```']],
    ['does not close with the other character', '~~~python\nx\n```\n~~~', ['x\n```']],
    ['closes at a line that says more: no Python begins with backticks', '```python\nx\n``` y', ['x']],
    ['keeps its blank lines', '```python\n\nx\n\n```', ['\nx\n']],
    ['loses the indentation all lines share', '```python\n\tif x:\n\n\t\ty\n```', ['if x:\n\n\ty']],
    ['keeps what they do not share', '```python\n  x\n y\n```', [' x\ny']],
    [
      'in a list, loses that of the list from shallow lines too',
      '1. ```py\n   x = """\n a\n"""\n   ```',
      ['x = """\na\n"""'],
    ],
    ['runs unclosed when the model stopped', 'So:\n```python\nx\n', ['x']],
  ])('%s', (_, reply, expected) => {
    expect(cells(reply)).toEqual(expected);
    expect(codes(reply)).toEqual([]);
  });

  it('is cut off unclosed when the reply hit its limit, and commands before it still run', () => {
    const reply = '```python\nx\n```\n```python\ny';
    expect(cells(reply, 'length')).toEqual(['x']);
    expect(codes(reply, 'length')).toEqual(['cut-off']);
    expect(codes('```json\n{', 'length')).toEqual([]);
  });
});

describe('a closing line in a triple-quoted string', () => {
  it.each([
    ['is code when the string closes later', "```py\ns = r'''\n```\n```\n'''\n```", ["s = r'''\n```\n```\n'''"]],
    ['closes when the string never does', '```py\ns = """\n```\nFINAL_VAR(x)', ['s = """', 'final-var']],
    ['closes when only an escaped quote follows', '```py\ns = """\n```\nthen \\"""\nRUN(x)', ['s = """', 'bash']],
    ['is code to the end when the block is not closed', '```py\ns = """\n```\n"""', ['s = """\n```\n"""']],
    ['closes when the quotes are a comment', '```py\n# """\n```\n"""', ['# """']],
    ['closes when the quotes are in another string', '```py\ns = \'"""\'\n```\n"""', ['s = \'"""\'']],
    ['closes when the quotes end a string carried over a line', "```py\ns = 'a\\\n'''\n```\n'''", ["s = 'a\\\n'''"]],
    ['counts in an untagged block', '```\ns = """\n```\n"""\n```', ['s = """\n```\n"""']],
    ['closes a bash block', '```sh\n"""\n```\n"""', ['bash']],
  ])('%s', (_, reply, expected) => {
    expect(cells(reply)).toEqual(expected);
  });

  it('is read again for each kind of triple quote that never closes', () => {
    expect(cells('```py\n"""\n```\n```py\n\'\'\'\n```\nRUN(x)')).toEqual(['"""', "'''", 'bash']);
  });
});

describe('an untagged block', () => {
  it('is a cell when the reply has no other command', () => {
    expect(cells('I might RUN(x):\n```\na\n```\nand\n```\nb\n```')).toEqual(['a', 'b']);
    expect(codes('I might RUN(x):\n```\na\n```')).toEqual([]);
  });

  it('does not count beside a command, before it or after it, valid or not', () => {
    expect(cells('```\na\n```\nFINAL_VAR(x)\n```\nb\n```')).toEqual(['final-var']);
    expect(cells('```\na\n```\nRUN()')).toEqual([]);
    expect(codes('```\n```\nRUN()')).toEqual(['empty']);
  });

  it('is a cell beside blocks that are not executed', () => {
    expect(cells('```json\n{}\n```\n```\na\n```')).toEqual(['a']);
  });

  it('is refused like a cell when it is alone and empty or cut off', () => {
    expect(codes('```\n\n```')).toEqual(['empty']);
    expect(codes('```\na', 'length')).toEqual(['cut-off']);
  });
});
