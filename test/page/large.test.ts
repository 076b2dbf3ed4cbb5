/**
 * A run of 10 000 sub-calls and 200 children: bounded pieces, bounded elements, no request for a row. Times and heap are
 * printed; the goals are 1 s to the first view, 50 ms for a step of scrolling, 200 MB of heap.
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

const rowsOf = (page: Page): Promise<number> => page.locator(ROWS).count();
const heapOf = (page: Page): Promise<number> => page.evaluate('performance.memory.usedJSHeapSize') as Promise<number>;

/** Scroll steps from the top of an element to its end. */
const STEPS = 80;

/** Milliseconds of processor time that the page needs for one step of scrolling, on average: time on a busy machine says little. */
async function costOfScrolling(page: Page, selector: string): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const cpu = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
  };
  const before = await cpu();
  await page.evaluate(`(async () => {
    const box = document.querySelector(${JSON.stringify(selector)});
    const step = box.scrollHeight / ${STEPS};
    for (let top = 0; top < box.scrollHeight + step; top += step) {
      box.scrollTop = top;
      await new Promise(requestAnimationFrame);
    }
  })()`);
  const after = await cpu();
  await session.detach();
  return (after - before) / STEPS;
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
    const begin = performance.now();
    await page.goto(served.open(`/run/${id}/turns`));
    await page.locator('.turn').first().waitFor();
    const firstView = performance.now() - begin;
    expect(await page.textContent('.tabs')).toContain('10,200');
    expect(await rowsOf(page)).toBeLessThanOrEqual(200);
    const turnStep = await costOfScrolling(page, 'html');

    // Children come by steps, in place.
    await page.getByRole('button', { name: /more of 200 child runs/ }).click();
    expect(await page.locator('.child').count()).toBe(40);
    await page.locator('.child-head').nth(39).click();
    await page.locator('.child .turn').first().waitFor();

    await page.keyboard.press('2');
    await page.locator('.sums', { hasText: /^10,200 calls · / }).waitFor();
    const asked = sizes.length;
    const callStep = await costOfScrolling(page, '.table-scroll');
    expect(await rowsOf(page)).toBeLessThanOrEqual(200);
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
    const timeStep = await costOfScrolling(page, '.time-scroll');
    expect(await rowsOf(page)).toBeLessThanOrEqual(200);
    await page.keyboard.press('/');
    await page.keyboard.type('reply words words words words words');
    await page.getByText('200 or more places').waitFor();
    await page.keyboard.press('Escape');
    await expectNoSidewaysScroll(page);

    expect(Math.max(turnStep, callStep, timeStep)).toBeLessThan(50);
    const heap = await heapOf(page);
    expect(heap).toBeLessThan(200 * MIB);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MIB);
    // Pieces: the head, 200 runs, turns, and pages of calls; not one for a row.
    expect(sizes.length).toBeLessThan(60);
    expect(errors).toEqual([]);
    console.log(
      `first view ${Math.round(firstView)} ms, heap ${(heap / MIB).toFixed(0)} MB, ${sizes.length} requests of at most ${Math.round(Math.max(...sizes) / 1024)} KiB; ` +
        `processor time of a scroll step: turns ${turnStep.toFixed(1)} ms, calls ${callStep.toFixed(1)} ms, time ${timeStep.toFixed(1)} ms`,
    );
  });
});
