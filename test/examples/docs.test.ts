/** The examples of docs/ print what their page says. */
import { expect, test } from 'vitest';
import { docExamples, outputOfExample } from './doc-examples.ts';

const PAGES: Readonly<Record<string, number>> = {
  'ai-sdk.md': 4,
  'compaction.md': 2,
  'evidence.md': 2,
  'policy.md': 1,
  'guard.md': 1,
  'modes.md': 2,
};

const examples = Object.keys(PAGES).flatMap((page) =>
  docExamples(page)
    .filter(({ prints }) => prints !== undefined)
    .map((example, index) => ({ page, index, ...example })),
);

test('the pages have the examples that this test knows', () => {
  const found = Object.keys(PAGES).map((page) => [page, examples.filter((example) => example.page === page).length]);
  expect(Object.fromEntries(found)).toEqual(PAGES);
});

test.each(examples)('$page: example $index', async ({ code, prints }) => {
  expect(await outputOfExample(code)).toBe(prints);
});
