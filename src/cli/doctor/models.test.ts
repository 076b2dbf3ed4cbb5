import { describe, expect, test } from 'vitest';
import type { Console } from '../screen/console.ts';
import { printModels } from './models.ts';

function printed(text: readonly string[], columns: number | undefined): readonly string[] {
  let written = '';
  const stream = {
    ...(columns !== undefined && { isTTY: true, columns }),
    write: (piece: string) => {
      written += piece;
    },
  };
  expect(printModels(text, {}, { stdout: stream, stderr: stream } as unknown as Console)).toBe(0);
  return written.trimEnd().split('\n');
}

describe('the list of models', () => {
  test.each([80, 100, 120])('fits into %i columns but for a few long ids and prices', (columns) => {
    const lines = printed([], columns);
    expect(lines.length).toBeGreaterThan(100);
    const longer = lines.filter((line) => line.length > columns);
    expect(longer.length).toBeLessThan(lines.length / 10);
  });

  test('has one line per model where no width is known', () => {
    const lines = printed(['gpt-5', 'mini'], undefined);
    expect(lines[0]).toMatch(/^MODEL +WINDOW +USD PER MILLION TOKENS$/);
    for (const line of lines.slice(1)) expect(line).toMatch(/^\S+ +\S+ +[\d.]+ in, [\d.]+ out/);
  });
});
