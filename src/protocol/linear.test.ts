import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adversarialPieces } from './adversarial-pieces.testing.ts';
import { countWork } from './count-work.testing.ts';
import { createReplyParser, parseReply } from './index.ts';

/** Characters the parser looks at for one reply. */
function workOf(reply: string, finishReason = 'stop'): number {
  return countWork(() => void parseReply(reply, { finishReason }));
}

/** A kind of reply that can be made of any size: `count` pieces. */
interface Growing {
  readonly name: string;
  readonly make: (count: number) => string;
}

/** Many small counts divide it, so that a reply and one twice its size end in the same state. */
const COUNT = 48;

/** Twice the reply may take this many times the work. */
const MOST_GROWTH = 2.2;

/** No reply may take more looks per character than this: each of the four quotes that never closes costs two passes. */
const MOST_PASSES = 90;

/** Describes work that grows faster than the reply, or takes too many passes. */
function offence({ name, make }: Growing, finishReason?: string): string | undefined {
  const reply = make(2 * COUNT);
  const once = workOf(make(COUNT), finishReason);
  const twice = workOf(reply, finishReason);
  if (twice <= MOST_GROWTH * once && twice <= MOST_PASSES * reply.length) return undefined;
  return `${JSON.stringify(name)}: ${once}, then ${twice}; ${(twice / reply.length).toFixed(1)} passes`;
}

function offences(replies: Iterable<Growing>, finishReason?: string): string[] {
  return Array.from(replies, (growing) => offence(growing, finishReason)).filter((found) => found !== undefined);
}

const openings = [
  'FINAL(',
  "FINAL('",
  'CODE("""',
  'QUERY_LLM_BATCHED([',
  '```python\n',
  "```python\n'''\n```\n",
  '<think>',
  'x ',
];

function* onePiece(): Generator<Growing> {
  for (const piece of adversarialPieces) {
    yield { name: piece, make: (count) => piece.repeat(count) };
    for (const opening of openings) {
      yield { name: `${opening} ${piece}…`, make: (count) => opening + piece.repeat(count) };
      yield { name: `${opening} ${piece}… )`, make: (count) => `${opening + piece.repeat(count)})` };
    }
  }
}

function* twoPieces(): Generator<Growing> {
  for (const first of adversarialPieces) {
    for (const second of adversarialPieces) {
      yield { name: `${first}${second}…`, make: (count) => (first + second).repeat(count / 2) };
      yield { name: `FINAL( ${first}${second}…`, make: (count) => `FINAL(${(first + second).repeat(count / 2)}` };
      yield { name: `${first}… ${second}…`, make: (count) => first.repeat(count / 2) + second.repeat(count / 2) };
    }
  }
}

describe('the work of the parser, counted in characters looked at', () => {
  it.each(['stop', 'length'])('grows with the reply when one piece repeats (finish reason %s)', (finishReason) => {
    expect(offences(onePiece(), finishReason)).toEqual([]);
  });

  it('grows with the reply when two pieces repeat, in turn or one after the other', () => {
    expect(offences(twoPieces())).toEqual([]);
  }, 180_000);

  it('grows with the reply when any few pieces repeat', () => {
    const pieces = fc.array(fc.constantFrom(...adversarialPieces), { minLength: 3, maxLength: 8 });
    fc.assert(
      fc.property(pieces, pieces, (head, body) => {
        const unit = body.join('');
        const start = head.join('');
        const growing = { name: `${start} ${unit}…`, make: (count: number) => start + unit.repeat(count / 4) };
        expect(offence(growing)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it('grows with the reply when it comes one character at a time', () => {
    for (const piece of adversarialPieces) {
      const reply = piece.repeat(COUNT);
      const work = countWork(() => {
        const parser = createReplyParser();
        for (const character of [...reply]) parser.push(character);
        parser.end();
      });
      expect(work, JSON.stringify(piece)).toBeLessThan((MOST_PASSES + 5) * reply.length);
    }
  });

  it('is counted: at least one for each character', () => {
    const prose = 'Some (plain) prose, line after line.\n'.repeat(100);
    expect(workOf(prose)).toBeGreaterThanOrEqual(prose.length);
  });
});
