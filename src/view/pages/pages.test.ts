import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRun } from '../../../test/page/made-run.ts';
import { sqliteStore } from '../../store/index.ts';
import { readDocument } from '../read-document.ts';
import type { RunDocument } from '../run-document.ts';
import { PAGE_CHARS } from './cut.ts';
import { type CutText, type RunPages, runPages } from './index.ts';
import { indexRun } from './index-run.ts';
import { textsOf } from './texts.ts';

const folder = mkdtempSync(join(tmpdir(), 'fathom-pages-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let document: RunDocument;
let pages: RunPages;

beforeAll(async () => {
  const store = sqliteStore(folder);
  const text = (name: string): string => `${name} ${'é'.repeat(30_000)}`;
  const id = await makeRun(store, { turns: 30, calls: 20, children: 3, levels: 2, text, query: text('query') });
  const record = await store.runs.get(id);
  if (record === undefined) throw new Error('the run was not kept');
  document = await readDocument(record, store);
  await store.close();
  pages = runPages(document);
});

/** Every item of a list, page by page; each page is small. */
function all<T>(read: (from: number) => { readonly items: readonly T[]; readonly next: number | null }): readonly T[] {
  const items: T[] = [];
  for (let from: number | null = 0; from !== null; ) {
    const page = read(from);
    expect(JSON.stringify(page).length).toBeLessThan(2 * PAGE_CHARS);
    items.push(...page.items);
    from = page.next;
  }
  return items;
}

const EMPTY = { items: [], next: null };

describe('the pieces of a run', () => {
  it('hold every turn, call and child once', () => {
    const runs = all((from) => pages.runs(from));
    expect(runs).toHaveLength(pages.overview().counts.runs);
    const turns = runs.flatMap(({ id }) => all((from) => pages.turns(id, from) ?? EMPTY));
    expect(new Set(turns.map(({ key }) => key)).size).toBe(pages.overview().counts.turns);
    const calls = all((from) => pages.calls(from));
    expect(new Set(calls.map(({ key }) => key)).size).toBe(calls.length);
    expect(calls.filter(({ child }) => child === null)).toHaveLength(pages.overview().counts.calls);
    for (const { child } of calls) if (child !== null) expect(runs.some(({ id }) => id === child)).toBe(true);
  });

  it('cut long texts, and give the whole text by the handle of the beginning', () => {
    const cuts: CutText[] = [];
    const collect = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      if ('ref' in value && 'chars' in value) cuts.push(value as CutText);
      else Object.values(value).forEach(collect);
    };
    collect([pages.overview(), pages.runs(0), all((from) => pages.turns(document.tree.runId, from) ?? EMPTY)]);
    expect(cuts.filter(({ text, chars }) => text.length < chars).length).toBeGreaterThan(50);
    for (const { text, chars, ref } of cuts) {
      const whole = pages.text(ref) ?? '';
      expect([ref, whole.includes(text)]).toEqual([ref, true]);
      // Prose is a part of its reply.
      expect(whole.length).toBeGreaterThanOrEqual(chars);
    }
  });

  it('find every text that there is, by its handle and by its words', async () => {
    const texts = [...textsOf(indexRun(document))];
    expect(texts.length).toBeGreaterThan(1_000);
    for (const { ref, text } of texts.slice(0, 400)) expect(pages.text(ref)).toBe(text);
    const found = await pages.search('CHILD-QUERY É', () => undefined);
    expect(found.items.length).toBeGreaterThan(3);
    expect(found.items[0]).toMatchObject({ hit: 'child-query é' });
    expect(await pages.search('(.*)+$', () => undefined)).toEqual({ items: [], more: false });
  });

  it.each(['', 'x', '/', 'x/t1', 't1.0/c0', '../../etc/passwd', `${'x/'.repeat(1_000)}`])(
    'do not know the handle %j',
    (ref) => {
      expect(pages.text(ref)).toBeUndefined();
      expect(pages.turns(ref, 0)).toBeUndefined();
    },
  );
});
