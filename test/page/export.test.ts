/** `fathom export`: one file that shows a run without a server, and does no harm whatever the run says. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { sqliteStore } from '../../src/index.ts';
import { runFathom } from '../cli/run-fathom.ts';
import { expectAccessible, expectNoSidewaysScroll, HAS_BROWSER, openPage, useBrowser } from './browser.ts';
import { type MadeRun, makeRun } from './made-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'fathom-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
useBrowser();

let count = 0;

/** Makes a run, exports it by the command, and gives the file. */
async function exported(made: MadeRun, args: readonly string[] = []): Promise<{ file: string; stderr: string }> {
  const place = join(folder, String(++count));
  const store = sqliteStore(place);
  const id = await makeRun(store, made);
  await store.close();
  const file = join(folder, `${count}.html`);
  const { code, stderr } = await runFathom(['export', id.slice(0, 26), '--store', place, '-o', file, ...args]);
  expect(stderr).toContain(`Wrote ${file}`);
  expect(code).toBe(0);
  return { file, stderr };
}

const urlOf = (file: string): string => pathToFileURL(file).href;

const HOSTILE = [
  '<script>globalThis.harmed = true</script><img src="http://127.0.0.1:9/x.png" onerror="globalThis.harmed = true">',
  '</script></pre><svg onload="globalThis.harmed = true"><a href="javascript:globalThis.harmed = true">click</a>',
  '<!-- <style>body { display: none }</style> ]]> \u2028\u2029 \u001b]8;;http://127.0.0.1:9/\u0007link\u001b]8;;\u0007',
  '\u001b[2J\u001b[31m\u0000\ud800 {{constructor.constructor("globalThis.harmed = true")()}} $(globalThis.harmed = true)',
].join('\n');

describe.skipIf(!HAS_BROWSER)('an exported file', () => {
  test('shows the question, the answer, turns, calls and children, with a link to each', async () => {
    const { file } = await exported({ turns: 3, calls: 4, children: 2, levels: 2 });
    const { page, errors, requests } = await openPage(urlOf(file));
    expect(await page.title()).toContain('How many letters');
    expect(await page.textContent('.answer')).toContain('Forty-two letters.');
    expect(await page.locator('.turns.level-0 > .turn').count()).toBe(4);
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);

    // A child opens in place, and so does its own.
    await page.locator('.child-head').first().click();
    expect(await page.locator('.child-answer').first().textContent()).toContain('child answer 1');
    await page.locator('.child .child > .child-head').first().click();
    await page.locator('.child .child .turn').first().waitFor();

    // A link leads to a call of a grandchild, and from it to its cell.
    await page.locator('.tabs').getByRole('link', { name: 'Calls' }).click();
    await page.locator('.call-row:not(.head):not(.tone-child)').nth(13).click();
    expect(await page.locator('.panel').textContent()).toContain('some plain prompt');
    const address = page.url();
    await expectAccessible(page);
    await page.locator('.panel').getByRole('link', { name: 'cell' }).click();
    await page.locator('.command.target').waitFor();
    const again = await openPage(address);
    expect(await again.page.locator('.panel').textContent()).toContain('some plain prompt');

    await page.getByRole('link', { name: 'Time', exact: true }).click();
    await page.locator('.strip').first().waitFor();
    await expectAccessible(page);
    expect(errors).toEqual([]);
    expect(requests).toEqual([urlOf(file).split('#')[0]]);
  });

  test('finds words in every text, at any depth', async () => {
    const { file } = await exported({ turns: 2, calls: 3, children: 1, text: (name) => `a needle-in-${name} b` });
    const { page } = await openPage(urlOf(file));
    for (const name of ['prose', 'code', 'output', 'prompt', 'reply', 'child-query']) {
      await page.keyboard.press('/');
      await page.keyboard.type(`NEEDLE-IN-${name}`);
      // Each letter is a search: those of the beginning of the word find other places.
      await page
        .locator('[role=option][aria-selected=true] mark', { hasText: new RegExp(`^needle-in-${name}$`) })
        .waitFor();
      await page.keyboard.press('Enter');
      await page.locator('.target, .panel').first().waitFor();
    }
  });

  test('says where a text is cut, and opens it', async () => {
    const long = `begin ${'x'.repeat(300_000)} the end`;
    const { file } = await exported({ turns: 1, calls: 1, text: (name) => (name === 'output' ? long : name) });
    const { page } = await openPage(urlOf(file));
    const output = page.locator('.command .long-text.output').first();
    expect(await output.locator('.cut').textContent()).toMatch(/Cut here: 296,014 more characters\./);
    await output.getByRole('button').click();
    await output.getByRole('button', { name: 'Show all' }).click();
    expect(await output.textContent()).toContain('the end');
    expect(await output.locator('.cut').count()).toBe(0);
  });

  test('does no harm when every text is hostile', async () => {
    const { file } = await exported({ query: HOSTILE, answer: HOSTILE, children: 1, text: () => HOSTILE });
    const { page, errors, requests } = await openPage(urlOf(file));
    await page.locator('.child-head').first().click();
    for (const summary of await page.locator('summary').all()) await summary.click();
    await page.keyboard.press('2');
    await page.locator('.call-row:not(.head)').first().click();
    await page.locator('.panel .output-text').first().waitFor();
    await page.keyboard.press('3');
    await page.locator('.strip').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('<script>');
    await page.locator('[role=option]').first().waitFor();
    expect(await page.evaluate(() => 'harmed' in globalThis)).toBe(false);
    // Only the page's own elements: none came from a text.
    expect(await page.locator('main script, main img, main style, main svg[onload], a[href^=javascript]').count()).toBe(
      0,
    );
    expect(errors).toEqual([]);
    expect(requests).toEqual([urlOf(file)]);
    // The control: the same text as HTML in a page without a policy runs.
    const control = join(folder, 'control.html');
    writeFileSync(control, `<!doctype html><meta charset="utf-8">${HOSTILE}`);
    const opened = await openPage(urlOf(control));
    expect(await opened.page.evaluate(() => 'harmed' in globalThis)).toBe(true);
  });

  test('lets no script in but its own, and connects to nothing', async () => {
    const { file } = await exported({});
    const { page, errors } = await openPage(urlOf(file));
    const outcome = await page.evaluate(`(async () => {
      const attempt = async (act) => Promise.resolve().then(act).then(() => 'taken', () => 'refused');
      return {
        script: await attempt(() => {
          const script = document.createElement('script');
          script.append('globalThis.harmed = true');
          document.body.append(script);
        }),
        html: await attempt(() => { document.body.innerHTML += '<p>x</p>'; }),
        fetched: await attempt(() => fetch('http://127.0.0.1:9/')),
        harmed: 'harmed' in globalThis,
      };
    })()`);
    expect(outcome).toMatchObject({ html: 'refused', fetched: 'refused', harmed: false });
    expect(errors.join('\n')).toContain('Content Security Policy');
  });

  test('shows a log of the reference implementation, with its sub-calls and its child', async () => {
    const iteration = (response: string, more: object = {}): object => ({
      ...{ type: 'iteration', response, iteration_time: 2, code_blocks: [], final_answer: null },
      ...{ prompt: [{ role: 'user', content: 'original query: "Who wrote it?"' }], ...more },
    });
    const call = (more: object): object => ({ root_model: 'gpt-5-nano', execution_time: 0.5, ...more });
    const child = { iterations: [iteration('child prose')], run_metadata: { root_model: 'gpt-5-nano' } };
    const calls = [
      call({ prompt: 'flat prompt', response: 'flat reply' }),
      call({ prompt: 'child question', response: 'child reply', metadata: child }),
    ];
    const result = {
      stdout: 'seen',
      stderr: '',
      execution_time: 1,
      locals: { context: 'It was a dark night' },
      rlm_calls: calls,
    };
    const lines = [
      { type: 'metadata', root_model: 'gpt-5', timestamp: '2026-01-02T03:04:05Z' },
      iteration('Let me look.\n```repl\nprint(context)\n```', { code_blocks: [{ code: 'print(context)', result }] }),
      iteration('Ada did.', { final_answer: 'Ada' }),
    ];
    const log = join(folder, 'reference.jsonl');
    writeFileSync(log, lines.map((line) => JSON.stringify(line)).join('\n'));
    const file = join(folder, 'reference.html');
    expect(await runFathom(['export', log, '-o', file])).toMatchObject({ code: 0 });
    const { page, errors } = await openPage(urlOf(file));
    expect(await page.locator('.run-head h1').textContent()).toBe('Who wrote it?');
    expect(await page.locator('.answer').textContent()).toContain('Ada');
    expect(await page.locator('.how').textContent()).toContain('of the reference implementation');
    expect(await page.locator('.turn').count()).toBe(2);
    expect(await page.locator('.command .long-text.output').first().textContent()).toBe('seen');
    await page.locator('.child-head', { hasText: 'child question' }).click();
    await page.locator('.child', { hasText: 'child prose' }).waitFor();
    await expectAccessible(page);
    await page.keyboard.press('2');
    expect(await page.locator('.call-row:not(.head)').allTextContents()).toEqual([
      expect.stringContaining('flat prompt'),
      expect.stringContaining('child question'),
    ]);
    await page.keyboard.press('3');
    await page.locator('.strip').first().waitFor();
    expect(errors).toEqual([]);
  });

  test('of a run that was at work offers nothing, and runs no clock', async () => {
    const { file } = await exported({ running: true, status: 'running' });
    const { page } = await openPage(urlOf(file));
    await page.locator('.turn.pending').waitFor();
    expect(await page.getByRole('button', { name: /Cancel|Finish/ }).count()).toBe(0);
    expect(await page.locator('.live, .live-text').count()).toBe(0);
  });

  test('is usable at 400 pixels, in the dark', async () => {
    const { file } = await exported({ turns: 2, calls: 40, children: 3, query: 'q'.repeat(300) });
    const small = { viewport: { width: 400, height: 800 }, colorScheme: 'dark' } as const;
    const { page } = await openPage(urlOf(file), small);
    for (const view of ['1', '2', '3']) {
      await page.keyboard.press(view);
      await page.locator('.turn, .call-row, .time-row').first().waitFor();
      await expectNoSidewaysScroll(page);
      await expectAccessible(page);
    }
  });
});

describe('the command', () => {
  test('writes a private file, replaces one only by --force, and says what it holds', async () => {
    const { file, stderr } = await exported({ text: () => 'secret words' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(stderr).toMatch(/It holds the question, the answer, all code and output.*can read them/);
    const store = join(folder, String(count));
    const again = await runFathom(['export', 'last', '--store', store, '-o', file]);
    expect(again).toMatchObject({ code: 2 });
    expect(again.stderr).toContain('--force replaces it');
    expect((await runFathom(['export', 'last', '--store', store, '-o', file, '--force'])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('secret words');
  });

  test('--no-content leaves every text out, and keeps figures and structure', async () => {
    const text = (name: string): string => `secret-${name}`;
    const made = { query: 'secret-query', answer: 'secret-answer', children: 2, text };
    const { file } = await exported(made, ['--no-content']);
    const html = readFileSync(file, 'utf8');
    expect(html).not.toContain('secret-');
    expect(html).toContain('left out: 12 characters');
    expect(html).toContain('"subCalls"');
  });

  test('warns of a file above 50 MB', async () => {
    const large = 'x'.repeat(51 * 1024 * 1024);
    const { stderr } = await exported({ turns: 1, calls: 1, text: (name) => (name === 'prompt' ? large : name) });
    expect(stderr).toMatch(/It is large \(51\.\d MB\): small machines open it slowly\./);
  });

  test('refuses what it cannot open', async () => {
    const none = await runFathom(['export', 'nothing.jsonl', '-o', join(folder, 'none.html')]);
    expect(none).toMatchObject({ code: 2 });
    expect(none.stderr).toContain('nothing.jsonl cannot be read');
  });
});
