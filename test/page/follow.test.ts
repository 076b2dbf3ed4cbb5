/** `fathom view` beside `fathom ask`: two processes that share only the store, and a browser. */
import { expect, test } from 'vitest';
import { sqliteStore } from '../../src/index.ts';
import { cell, fathom, folder, viewing } from '../cli/runs-harness.ts';
import { startMockProvider } from '../mock-provider/index.ts';
import { HAS_BROWSER, type OpenedPage, openPage, POLL, useBrowser } from './browser.ts';

useBrowser();

/** A model that begins with a cell, and writes each further turn when the test lets it. */
async function steppedModel(): Promise<{
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly next: () => void;
  readonly asked: () => number;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const steps = [1, 2, 3].map(() => Promise.withResolvers<void>());
  let passed = 0;
  const provider = await startMockProvider({
    respond: async ({ messages, prompt }) => {
      if (!messages.some(({ content }) => content.includes('Six times seven'))) return `seen: ${prompt}`;
      const turn = messages.filter(({ role }) => role === 'assistant').length;
      if (turn > 0) await steps[turn - 1]?.promise;
      const cells = ['x = 6 * 7\nprint("halfway", x)', 'print(llm_query("is it even?"))', 'FINAL(x)'];
      return cell(cells[Math.min(turn, 2)] ?? '');
    },
  });
  return {
    args: ['ask', 'Six times seven?', '-m', 'openai/gpt-5-nano', '--no-stdin'],
    env: provider.env,
    next: () => steps[passed++]?.resolve(),
    asked: () => provider.calls.length,
    [Symbol.asyncDispose]: () => provider.close(),
  };
}

const isText = (text: string): object => ({ hasText: text });

/** Opens the list of a store, waits until a run shows itself in it, and opens that. */
async function openFromList(address: string): Promise<OpenedPage> {
  const opened = await openPage(address);
  const { page } = opened;
  await page.getByText('There are no runs yet.').waitFor();
  return opened;
}

test.skipIf(!HAS_BROWSER)(
  'a run of another process is listed, followed to its answer, and shows its sub-calls',
  async () => {
    await using model = await steppedModel();
    await sqliteStore(`${folder}/.fathom`).close();
    await viewing(['--store', `${folder}/.fathom`], async (address) => {
      const { page, errors } = await openFromList(address);
      const asking = fathom(model.args, { env: model.env });
      const row = page.locator('.run-row', isText('Six times seven?'));
      await row.locator('.outcome', isText('running')).waitFor();
      await row.getByRole('link').click();
      await page.locator('.output-text', isText('halfway 42')).first().waitFor();
      await page.locator('.turn.pending', isText('Turn 2')).waitFor();
      model.next();
      await page.locator('.output-text', isText('seen: is it even?')).first().waitFor();
      await page.locator('.turn.pending', isText('Turn 3')).waitFor();
      await page.keyboard.press('2');
      await page.locator('.call-row:not(.head)', isText('is it even?')).waitFor();
      await page.keyboard.press('1');
      model.next();
      await page.locator('.answer.ok', isText('42')).waitFor();
      expect(await page.locator('.turn.pending').count()).toBe(0);
      expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
      expect(await asking).toMatchObject({ code: 0, stdout: '42\n' });
      expect(errors).toEqual([]);
    });
  },
);

test.skipIf(!HAS_BROWSER).each([
  ['Cancel', 'aborted'],
  ['Finish', 'exhausted'],
])('%s of the page ends a run of another process, which is then %s', async (button, outcome) => {
  await using model = await steppedModel();
  const asking = fathom(model.args, { env: model.env });
  await expect.poll(model.asked, POLL).toBe(2);
  await viewing(['last', '--store', `${folder}/.fathom`], async (address) => {
    const { page } = await openPage(address);
    await page.locator('.turn.pending', isText('Turn 2')).waitFor();
    await page.getByRole('button', { name: button }).click();
    if (button === 'Finish') {
      // The second turn is given up, and the model is asked once more, for its best answer.
      await expect.poll(model.asked, POLL).toBe(3);
      model.next();
    }
    await page.locator('.run-bar .outcome', isText(outcome)).waitFor();
    expect(await page.getByRole('button', { name: button }).count()).toBe(0);
  });
  expect((await asking).signal).toBeNull();
});
