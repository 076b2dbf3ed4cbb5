/**
 * A run of 10 000 sub-calls and 200 children: bounded pieces, bounded elements, no request for a row. `bench/page.bench.ts` has its
 * times and its heap.
 */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { expectNoSidewaysScroll, HAS_BROWSER, openPage, POLL, useBrowser } from './browser.ts';
import { makeRun } from './made-run.ts';
import { servePage } from './served.ts';

useBrowser();

const MIB = 1024 * 1024;
/** Elements of which each is an item of a list. */
const ROWS = '.call-row, .time-row, .turn, .child, .run-row';

/** Scrolls an element from its top to its end, in steps, and gives the most items that it drew at once. */
async function mostRowsWhileScrolling(page: Page, selector: string): Promise<number> {
  return (await page.evaluate(`(async () => {
    const box = document.querySelector(${JSON.stringify(selector)});
    const step = box.scrollHeight / 40;
    let most = 0;
    for (let top = 0; top < box.scrollHeight + step; top += step) {
      box.scrollTop = top;
      await new Promise(requestAnimationFrame);
      most = Math.max(most, document.querySelectorAll(${JSON.stringify(ROWS)}).length);
    }
    return most;
  })()`)) as number;
}

describe.skipIf(!HAS_BROWSER)('a run of 10 000 calls and 200 children', () => {
  test('opens, scrolls, sorts, filters and searches', async () => {
    const served = await servePage();
    const id = await makeRun(served.store, {
      turns: 9,
      calls: 1_000,
      children: 200,
      text: (name) => `${name} ${'words '.repeat(40)}`,
    });
    await makeRun(served.store);
    const { page, errors } = await openPage('about:blank');
    const sizes: number[] = [];
    page.on('response', (response) => {
      if (response.url().includes('/v1/')) void response.body().then((body) => sizes.push(body.length));
    });
    await page.goto(served.open(`/run/${id}/turns`));
    await page.locator('.turn').first().waitFor();
    expect(await page.textContent('.tabs')).toContain('10,200');
    expect(await mostRowsWhileScrolling(page, 'html')).toBeLessThanOrEqual(200);

    // Children come by steps, in place.
    await page.getByRole('button', { name: /more of 200 child runs/ }).click();
    expect(await page.locator('.child').count()).toBe(40);
    await page.locator('.child-head').nth(39).click();
    await page.locator('.child .turn').first().waitFor();

    await page.keyboard.press('2');
    await page.locator('.sums', { hasText: /^10,200 calls · / }).waitFor();
    const asked = sizes.length;
    expect(await mostRowsWhileScrolling(page, '.table-scroll')).toBeLessThanOrEqual(200);
    await expect.poll(() => page.locator('.call-row').last().textContent(), POLL).toMatch(/^10200/);
    await page.getByRole('button', { name: 'Time' }).click();
    await page.getByLabel('Filter calls by status').selectOption('failed');
    await page.locator('.sums', { hasText: /of 10,200 calls/ }).waitFor();
    await page.getByLabel('Filter calls by status').selectOption('');
    await page.getByLabel('Filter calls by words').fill('child-query');
    await page.locator('.sums', { hasText: /^200 of 10,200 calls/ }).waitFor();
    await page.getByLabel('Filter calls by words').fill('');
    expect(sizes.length).toBe(asked);

    await page.locator('.tabs').getByRole('link', { name: 'Time' }).click();
    await page.locator('.strip').first().waitFor();
    expect(await mostRowsWhileScrolling(page, '.time-scroll')).toBeLessThanOrEqual(200);
    await page.keyboard.press('/');
    await page.keyboard.type('reply words words words words words');
    await page.getByText('200 or more places').waitFor();
    await page.keyboard.press('Escape');
    await expectNoSidewaysScroll(page);

    expect(Math.max(...sizes)).toBeLessThanOrEqual(MIB);
    // Pieces: the head, 200 runs, turns, and pages of calls; not one for a row.
    expect(sizes.length).toBeLessThan(60);
    expect(errors).toEqual([]);
  });
});
