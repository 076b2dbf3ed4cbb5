/** The Markdown of models as blocks: what is recognised, and that no word is lost, whatever the text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Block, blocksOf, inlinesOf } from '../../viewer/src/parts/prose-blocks.ts';

const wordsOf = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, '');

function shown(block: Block): string {
  if (block.kind === 'table')
    return block.rows
      .flat()
      .flatMap(inlinesOf)
      .map(({ text }) => text)
      .join('');
  if (block.kind === 'code') return block.info + block.text;
  const mark = block.kind === 'item' ? block.mark : '';
  return (
    mark +
    inlinesOf(block.text)
      .map(({ text }) => text)
      .join('')
  );
}

describe('prose', () => {
  it('has headings, lists, code, tables and paragraphs', () => {
    const text = [
      '# Late invoices',
      'There are **two**, by `due`:',
      '- INV-1',
      '  which is old',
      '  - a part',
      '2. INV-2',
      '',
      '```python title',
      'x = "# no heading"',
      '```',
      '| id | days |',
      '|---|---:|',
      '| 1 | **3** |',
      'The end.',
    ].join('\n');
    expect(blocksOf(text)).toEqual([
      { kind: 'heading', text: 'Late invoices' },
      { kind: 'text', text: 'There are **two**, by `due`:' },
      { kind: 'item', level: 0, mark: '•', text: 'INV-1 which is old' },
      { kind: 'item', level: 1, mark: '•', text: 'a part' },
      { kind: 'item', level: 0, mark: '2.', text: 'INV-2' },
      { kind: 'code', info: 'python title', text: 'x = "# no heading"' },
      {
        kind: 'table',
        rows: [
          ['id', 'days'],
          ['1', '**3**'],
        ],
      },
      { kind: 'text', text: 'The end.' },
    ]);
    expect(inlinesOf('a **b c** `d*` 2 * 3 ** 4 [l](javascript:x) <b>')).toEqual([
      { kind: 'text', text: 'a ' },
      { kind: 'strong', text: 'b c' },
      { kind: 'text', text: ' ' },
      { kind: 'code', text: 'd*' },
      { kind: 'text', text: ' 2 * 3 ** 4 [l](javascript:x) <b>' },
    ]);
  });

  it('loses no letter and no digit of any text', () => {
    const piece = fc.oneof(
      fc.constantFrom('```', '~~~', '`', '**', '- ', '  ', '1. ', '# ', '|', '|---|', '\n', '\n\n', ' ', '* '),
      fc.string({ maxLength: 8, unit: 'grapheme' }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        expect(wordsOf(blocksOf(text).map(shown).join(''))).toBe(wordsOf(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes time that grows with the text, not with its square', () => {
    for (const unit of ['`', '**a', '- ', '|', '```\n', '| a |\n', '1. a\n   b\n', ' ', '|-']) {
      const text = `${unit.repeat(20_000)}x`;
      expect(wordsOf(blocksOf(text).map(shown).join(''))).toBe(wordsOf(text));
    }
  });
});
