import { describe, expect, it } from 'vitest';
import { table } from './table.ts';

describe('a table', () => {
  it('gives each column its width, and the last one what is left', () => {
    const rows = [
      ['A', 'LONG', 'REST'],
      ['aaa', 'b', 'a text that is cut off'],
    ];
    expect(table(rows, 24)).toEqual(['A    LONG  REST', 'aaa  b     a text that …']);
  });

  it('leaves the last column out where there is no room for it', () => {
    expect(table([['aaaaaaaaaa', 'a text']], 14)).toEqual(['aaaaaaaaaa']);
  });

  it('cannot be broken by what others wrote', () => {
    expect(table([['\u001b[2J\n', 'x']], 80)).toEqual(['\\x1b[2J  x']);
  });
});
