import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cell, fathom, folder, listed, script } from './runs-harness.ts';

describe('what is listed and shown', () => {
  test('runs by status, time and words; one with its turns, commands and children', async () => {
    const sub = script('sub.json', ['AAA', cell('FINAL(len(context))')]);
    const root = script('root.json', [
      cell('a = llm_query("a")'),
      `${cell('r = rlm_query("inner?", "12345")')}\n${cell('1/0')}`,
      cell('FINAL(a + str(r))'),
    ]);
    const asked = await fathom(['ask', 'First question', '-m', root, '--sub-model', sub, '--max-depth', '2']);
    expect(asked.stdout).toBe('AAA5\n');
    await fathom(['ask', 'Second one', '-m', script('none.json', [cell('x = 1')]), '--max-turns', '1']);

    expect((await listed()).map(({ query }) => query)).toEqual(['Second one', 'First question']);
    expect((await listed('--text', 'FIRST')).map(({ query }) => query)).toEqual(['First question']);
    expect(await listed('--status', 'failed', 'paused')).toEqual([]);
    expect(await listed('--since', '1h', '--limit', '1')).toHaveLength(1);
    expect(await listed('--since', '2999-01-01')).toEqual([]);
    const [, first] = await listed();

    const { stdout } = await fathom(['runs', 'show', first?.id ?? '']);
    expect(stdout).toContain('completed · converged (final)');
    expect(stdout).toMatch(/asked +First question/);
    expect(stdout).toMatch(/answer +AAA5/);
    expect(stdout).toMatch(/✓ t1.0 cell a = llm_query\("a"\) .* 1 sub-call/);
    expect(stdout).toMatch(/└ "inner\?" · converged \(final\)[\s\S]*✓ t1.0 cell FINAL\(len\(context\)\)/);
    expect(stdout).toContain('ZeroDivisionError: division by zero');
    const shown = JSON.parse((await fathom(['runs', 'show', first?.id ?? '', '--json'])).stdout);
    expect(shown).toMatchObject({ text: 'AAA5', tree: { figures: { subCalls: 2 }, turns: [{ number: 1 }, {}, {}] } });
  });

  const wrong: readonly { readonly args: readonly string[]; readonly code: number; readonly says: string }[] = [
    { args: ['runs', 'show', 'x', '--store', 'nowhere'], code: 5, says: 'There is no store at' },
    { args: ['runs', '--store', 'nowhere'], code: 5, says: 'There is no store at' },
    { args: ['runs', '--since', 'soon'], code: 2, says: '90m, 12h, 7d, 2w' },
    { args: ['runs', '--status', 'gone'], code: 2, says: 'interrupted' },
    { args: ['resume', '01ARZ3NDEKTSV4RRFFQ69G5FAV'], code: 5, says: '[run-not-found]' },
    { args: ['ask', 'Q', '-m', 'scripted:x', '--store', '/dev/null'], code: 5, says: '[store-failure]' },
  ];
  test.each(wrong)('$args: exit code $code', async ({ args, code, says }) => {
    const outcome = await fathom(args);
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(outcome.stderr).toContain(says);
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
  });

  test('nothing was asked yet: an empty list, and no folder is made', async () => {
    expect(await fathom(['runs'])).toMatchObject({ code: 0, stdout: '', stderr: 'There are no such runs.\n' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('--no-store keeps nothing', async () => {
    const asked = await fathom(['ask', 'Q', '--no-store', '-m', script('r.json', [cell('FINAL(1)')])]);
    expect(asked.stdout).toBe('1\n');
    expect(readdirSync(folder)).toEqual(['r.json']);
  });
});
