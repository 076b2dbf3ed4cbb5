/** `--no-store` and the cache of conversions. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { ask, cell, folder, playing } from './ask-harness.ts';

const places = (name: string) => ({ FATHOM_CACHE_DIR: join(folder, 'cache'), TMPDIR: join(folder, name) });
const conversions = (): readonly string[] => {
  const path = join(folder, 'cache', 'conversions');
  return existsSync(path) ? readdirSync(path) : [];
};
const temporary = (name: string): readonly string[] =>
  readdirSync(join(folder, name)).filter((entry) => entry.startsWith('fathom-conversions-'));

beforeAll(() => {
  for (const name of ['kept', 'not-kept', 'planned']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'page.html'), '<html><body><p>hidden text</p></body></html>');
});

test('a plan without a store keeps none either', async () => {
  const args = ['Q', '-m', 'openai/gpt-5-mini', '-f', 'page.html', '--no-store', '--dry-run'];
  expect(await ask(args, { env: places('planned') })).toMatchObject({ code: 0 });
  expect([...conversions(), ...temporary('planned')]).toEqual([]);
});

test.each([
  ['not-kept', ['--no-store'], 0],
  // The control: the same file, after which one is there.
  ['kept', [], 1],
])('conversions: %s', async (name, options, count) => {
  playing(cell('FINAL(str(context))'));
  const args = ['Q', '-m', 'openai/gpt-5-mini', '-f', 'page.html', ...options];
  expect(await ask(args, { env: places(name) })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('hidden text'),
  });
  expect(conversions()).toHaveLength(count);
  expect(temporary(name)).toEqual([]);
});
