import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adversarialPieces } from './adversarial-pieces.testing.ts';
import type { Command, ParsedReply } from './command.ts';
import { createReplyParser, parseReply } from './index.ts';

/** Any UTF-16, lone surrogates included. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 })
  .map((units) => String.fromCharCode(...units));

const words = [
  'print(1)',
  'it’s',
  "it's",
  '"a b"',
  "'''",
  'x = 1',
  'name',
  'f"{x}"',
  '["a", {"prompt": "b"}]',
  ');',
  '\n',
  '\n\n',
  '\r\n',
];

/** Replies made of what the protocol knows, what it nearly knows, and anything else. */
const reply = fc
  .array(fc.oneof(fc.constantFrom(...adversarialPieces), fc.constantFrom(...words), anyText), {
    maxLength: 40,
    size: 'max',
  })
  .map((pieces) => pieces.join(''));

const finishReason = fc.constantFrom('stop', 'length', 'other');

function together(parts: readonly ParsedReply[]): ParsedReply {
  return { commands: parts.flatMap(({ commands }) => commands), rejected: parts.flatMap(({ rejected }) => rejected) };
}

function stream(chunks: readonly string[], finish: string): ParsedReply {
  const parser = createReplyParser();
  return together([...chunks.map((chunk) => parser.push(chunk)), parser.end({ finishReason: finish })]);
}

describe('parseReply', () => {
  it('takes any text', () => {
    fc.assert(
      fc.property(reply, finishReason, (text, finish) => {
        for (const { message, excerpt } of parseReply(text, { finishReason: finish }).rejected) {
          expect(message).not.toBe('');
          expect(excerpt.length).toBeLessThanOrEqual(81);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it.each(['FINAL_VAR(', 'FINAL(', 'FINAL("', 'QUERY_LLM_BATCHED([{"prompt": ', '```python\n"', '> '])(
    'takes 10 MB on one line without running out of stack: %s',
    (start) => {
      for (const piece of ['1', '日', '\\', '- ']) {
        const reply = `${start}${piece.repeat(10e6 / piece.length)})`;
        expect(() => parseReply(reply)).not.toThrow();
      }
    },
  );

  it('reads CR LF and CR as LF', () => {
    fc.assert(
      fc.property(reply, (text) => {
        const lines = text.replace(/\r\n?/g, '\n');
        expect(parseReply(lines.replaceAll('\n', '\r\n'))).toEqual(parseReply(lines));
        expect(parseReply(lines.replaceAll('\n', '\r'))).toEqual(parseReply(lines));
      }),
    );
  });
});

describe('the streaming parser', () => {
  it('gives what parseReply gives, one character at a time', () => {
    fc.assert(
      fc.property(reply, finishReason, (text, finish) => {
        expect(stream(text.split(''), finish)).toEqual(parseReply(text, { finishReason: finish }));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives what parseReply gives, for every chunking', () => {
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 5 }), finishReason, (chunks, finish) => {
        expect(stream(chunks, finish)).toEqual(parseReply(chunks.join(''), { finishReason: finish }));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives nothing after the end', () => {
    const parser = createReplyParser();
    parser.push('RUN(ls)');
    expect(parser.end().commands).toHaveLength(1);
    expect(parser.push('\nRUN(ls)\n')).toEqual({ commands: [], rejected: [] });
    expect(parser.end()).toEqual({ commands: [], rejected: [] });
  });
});

describe('a command is given out before what follows it', () => {
  const cases: readonly (readonly [string, Command])[] = [
    ['```python\nprint(1)\n```\n', { type: 'cell', code: 'print(1)' }],
    ['Let me look.\n~~~~bash\nls\n~~~~\r\n', { type: 'bash', command: 'ls' }],
    ['```py\nd = """\n```\n"""\n```\n', { type: 'cell', code: 'd = """\n```\n"""' }],
    ['RUN(ls)\n', { type: 'bash', command: 'ls' }],
    ['**FINAL(it’s 42)**\n', { type: 'final', form: 'text', value: 'it’s 42' }],
    ["FINAL('''a\nb'''\n)\n", { type: 'final', form: 'literal', value: 'a\nb' }],
    ['CODE(print(\n1\n))\n', { type: 'cell', code: 'print(\n1\n)' }],
    ['<think>FINAL(no)</think>FINAL_VAR(x)\n', { type: 'final-var', name: 'x' }],
    ['```\nan example\n```\nRUN(ls)\n', { type: 'bash', command: 'ls' }],
    ['RUN(ls); FINAL("""open\n', { type: 'bash', command: 'ls' }],
  ];

  it.each(cases)('%j', (start, command) => {
    const parser = createReplyParser();
    expect(parser.push(start)).toEqual({ commands: [command], rejected: [] });
    const prose = "It's (plain) prose, as long as it likes to be.\n";
    for (let length = 0; length < 1e6; length += prose.length) parser.push(prose);
    expect(parser.end().commands).toEqual([]);
  });

  it('and an invalid one likewise', () => {
    const parser = createReplyParser();
    expect(parser.push('RUN()\n').rejected.map(({ code }) => code)).toEqual(['empty']);
    expect(parser.push('FINAL(a\nmore\n').rejected).toEqual([]);
    expect(parser.push('```text\n').rejected.map(({ code }) => code)).toEqual(['unbalanced']);
  });
});
