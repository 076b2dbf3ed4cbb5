/** The page of a server: the list, one run, comparing, live runs, keys only, and who may read it. */
import { describe, expect, test } from 'vitest';
import { final, KEY, raw, serve } from '../server/harness.ts';
import { expectAccessible, expectNoSidewaysScroll, HAS_BROWSER, openPage, POLL, useBrowser } from './browser.ts';
import { makeRun } from './made-run.ts';
import { servePage } from './served.ts';

useBrowser();

describe.skipIf(!HAS_BROWSER)('the page', () => {
  test('lists runs, filters and searches them, opens one, and compares two', async () => {
    const served = await servePage();
    const { store } = served;
    await makeRun(store, { query: 'Which invoices are late?', answer: 'Seven of them.', at: 1e12 });
    await makeRun(store, { query: 'Who wrote the letter?', answer: 'Wickham did.', calls: 20, at: 1.1e12 });
    await makeRun(store, { query: 'Stopped half way', status: 'failed', at: 1.2e12 });
    const { page, errors } = await openPage(served.open());
    const rows = page.locator('.run-row');
    await rows.nth(2).waitFor();
    expect(await rows.allTextContents()).toMatchObject(
      [/Stopped/, /letter/, /invoices/].map((words) => expect.stringMatching(words)),
    );
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    expect(page.url()).not.toContain('token');

    await page.getByRole('button', { name: 'failed' }).click();
    await expect.poll(() => rows.count(), POLL).toBe(1);
    await page.getByRole('button', { name: 'all' }).click();
    await page.getByLabel('Search questions and answers').fill('WICKHAM');
    await expect.poll(async () => (await rows.allTextContents()).join(), POLL).toMatch(/^[^,]*Who wrote/);
    await page.getByLabel('Search questions and answers').fill('no run has this');
    await page.getByText('No run matches.').waitFor();
    await page.getByLabel('Search questions and answers').fill('');
    await expect.poll(() => rows.count(), POLL).toBe(3);

    await rows.nth(1).getByRole('checkbox').check();
    await rows.nth(2).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.locator('.turn-pairs .half').nth(3).waitFor();
    expect(await page.locator('.same').textContent()).toBe('Different questions, different answers.');
    expect(await page.locator('.figures').textContent()).toMatch(/Sub-calls406−85 %/);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);

    await page.getByRole('link', { name: 'Runs' }).click();
    await rows.nth(1).getByRole('link').click();
    await page.locator('.turn').first().waitFor();
    expect(await page.textContent('.answer')).toContain('Wickham did.');
    expect(errors).toEqual([]);
  });

  test('works by keys alone', async () => {
    const served = await servePage();
    await makeRun(served.store, { query: 'The older run', at: 1e12 });
    await makeRun(served.store, { query: 'The newer run', calls: 30, children: 2, at: 1.1e12 });
    const { page } = await openPage(served.open());
    await page.locator('.run-row').first().waitFor();
    const { keyboard } = page;
    await keyboard.press('?');
    const help = page.getByRole('dialog', { name: 'Keys' });
    await help.waitFor();
    await expectAccessible(page);
    expect(await help.textContent()).toContain('search every text');
    await keyboard.press('Escape');
    await help.waitFor({ state: 'detached' });

    // The second run and back, then the first.
    await keyboard.press('j');
    await keyboard.press('j');
    await keyboard.press('k');
    await keyboard.press('o');
    await page.locator('.turn').first().waitFor();
    expect(await page.title()).toContain('The newer run');
    await keyboard.press('j');
    await keyboard.press('j');
    await keyboard.press('o');
    await page.locator('.child-body').nth(1).waitFor();

    await keyboard.press('2');
    await page.locator('.call-row:not(.head)').first().waitFor();
    await keyboard.press('j');
    await keyboard.press('j');
    await keyboard.press('ArrowDown');
    await keyboard.press('ArrowDown');
    expect(await page.locator('.panel h3').textContent()).toBe('Call 3');
    await keyboard.press('End');
    await page.locator('.panel h3', { hasText: 'Call 72' }).waitFor();
    await keyboard.press('Escape');
    await page.locator('.panel').waitFor({ state: 'detached' });
    await keyboard.press('3');
    await page.locator('.time-row').first().waitFor();
    await keyboard.press('/');
    await keyboard.type('child-query');
    await page.getByRole('option').first().waitFor();
    await keyboard.press('ArrowDown');
    await keyboard.press('Enter');
    await page.locator('.target, .panel').first().waitFor();
    await keyboard.press('t');
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
    await keyboard.press('g');
    await page.locator('.run-row').first().waitFor();
  });

  test('opens once by the link, and by a cookie that scripts cannot read', async () => {
    const served = await servePage();
    const id = await makeRun(served.store);
    const address = served.open(`/run/${id}/turns`);
    const first = await openPage(address);
    await first.page.locator('.turn').first().waitFor();
    expect(await first.page.evaluate('document.cookie')).toBe('');
    const [cookie] = await first.page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    await first.page.reload();
    await first.page.locator('.turn').first().waitFor();
    const second = await openPage(address);
    await second.page.getByRole('heading', { name: 'This server needs a key' }).waitFor();
    expect(await second.page.locator('.turn').count()).toBe(0);
    await expectAccessible(second.page);
  });

  test('shows an empty store and a run that is not there', async () => {
    const served = await servePage();
    const { page } = await openPage(served.open());
    await page.getByText('There are no runs yet.').waitFor();
    await page.goto(`${served.url}/#/run/01ARZ3NDEKTSV4RRFFQ69G5FAV/turns`);
    await page.getByText('This run cannot be shown').waitFor();
    expect(await page.locator('[role=alert]').textContent()).toContain('There is no run');
    await expectAccessible(page);
  });

  test('follows a run of fathom serve, and finishes and cancels it', async () => {
    const gates: (() => void)[] = [];
    const gate = (): Promise<void> => new Promise((resolve) => void gates.push(resolve));
    const { server } = await serve({
      respond: async ({ messages }) => {
        const turns = messages.filter(({ role }) => role === 'assistant').length;
        if (turns === 0) return '```python\nx = 6 * 7\nprint("halfway", x)\n```';
        await gate();
        return final('forty-two');
      },
      server: { keys: { owner: KEY } },
    });
    const headers = { authorization: `Bearer ${KEY}` };
    const start = async (): Promise<string> =>
      String((await raw(`${server.url}/v1/runs`, { body: { query: 'Six times seven?' }, headers })).json.id);
    const id = await start();
    const { page, errors } = await openPage(`${server.url}/#/run/${id}/turns`);
    await page.getByRole('textbox', { name: 'Key' }).fill('not-the-key');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByText('This is not a key of the server.').waitFor();
    await page.getByRole('textbox', { name: 'Key' }).fill(KEY);
    await page.getByRole('button', { name: 'Open' }).click();
    // The first turn comes without a reload, and the second is waited for.
    await page.locator('.output-text', { hasText: 'halfway 42' }).first().waitFor();
    await page.locator('.turn.pending').waitFor();
    await page.locator('.run-bar .outcome.live').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Finish' }).click();
    await expect.poll(() => gates.length, POLL).toBeGreaterThan(0);
    for (const open of gates.splice(0)) open();
    const timer = setInterval(() => {
      for (const open of gates.splice(0)) open();
    }, 20);
    await page.locator('.run-bar .outcome:not(.live)').waitFor();
    clearInterval(timer);
    await page.locator('.answer', { hasText: 'forty-two' }).waitFor();
    expect(await page.locator('.turn.pending').count()).toBe(0);

    const other = await start();
    await page.goto(`${server.url}/#/run/${other}/turns`);
    await page.locator('.output-text', { hasText: 'halfway 42' }).first().waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('.run-bar .outcome', { hasText: 'aborted' }).waitFor();
    expect(errors.filter((error) => !error.includes('401'))).toEqual([]);
  });

  test('follows a run that another process writes', async () => {
    const served = await servePage();
    const id = await makeRun(served.store, { running: true, at: Date.now() });
    const { page } = await openPage(served.open(`/run/${id}/turns`));
    await page.locator('.turn').first().waitFor();
    // No process has the lock of this run: it is shown as interrupted, and nothing is offered that needs its process.
    expect(await page.locator('.run-bar .outcome').textContent()).toBe('interrupted');
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
  });
});

describe('the routes of the page', () => {
  test('hold no data without a session, and change nothing without an origin', async () => {
    const served = await servePage();
    const id = await makeRun(served.store);
    const page = await raw(`${served.url}/`);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    expect(page.headers['content-security-policy']).not.toContain('unsafe');
    expect(page.text).not.toMatch(/<script>|style=|onload=/);
    for (const path of ['/v1/run-briefs', `/v1/runs/${id}/overview`, `/v1/runs/${id}/events`, '/page/session']) {
      expect((await raw(`${served.url}${path}`)).status, path).toBe(401);
    }
    const wrong = await raw(`${served.url}/page/session`, { body: { token: 'x'.repeat(32) } });
    expect(wrong.status).toBe(401);
    const opened = await raw(`${served.url}/page/session`, { body: { token: served.token } });
    const cookie = String(opened.headers['set-cookie']).split(';')[0] ?? '';
    expect(String(opened.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Strict/);
    expect((await raw(`${served.url}/page/session`, { body: { token: served.token } })).status).toBe(401);
    const read = await raw(`${served.url}/v1/runs/${id}/overview`, { headers: { cookie } });
    expect(read.status).toBe(200);

    const cancel = `${served.url}/v1/runs/${id}/cancel`;
    expect((await raw(cancel, { method: 'POST', headers: { cookie } })).status).toBe(403);
    const foreign = { cookie, origin: 'http://127.0.0.1:9' };
    expect((await raw(cancel, { method: 'POST', headers: foreign })).status).toBe(403);
    expect(served.acts).toEqual([]);
    const own = { cookie, origin: served.url };
    expect((await raw(cancel, { method: 'POST', headers: own })).status).toBe(200);
    expect(served.acts).toEqual([['cancel', id]]);
  });
});
