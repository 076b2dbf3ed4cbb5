/**
 * Makes the pictures of the README: the run of the demo in the page, light and dark. Needs Chromium.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { runDemo } from '../demo/run.ts';
import { colorsFor } from '../src/cli/screen/console.ts';
import { fullNarrator } from '../src/cli/watch/full-narrator.ts';
import { sqliteStore } from '../src/index.ts';
import { readPageFiles } from '../src/view/page-files.ts';
import { exportedHtml } from '../src/view/page-html.ts';
import { readDocument } from '../src/view/read-document.ts';
import { buildPage } from './build-page.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CHROMIUM = process.env.FATHOM_CHROMIUM ?? '/usr/bin/chromium';

const folder = mkdtempSync(join(tmpdir(), 'fathom-screenshots-'));
try {
  await buildPage(join(ROOT, 'viewer', 'dist'));
  await takePictures(await exportDemo());
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Runs the demo and gives the exported file. */
async function exportDemo(): Promise<string> {
  const store = sqliteStore(join(folder, 'store'));
  const out = process.stdout;
  const narrator = fullNarrator({ colors: colorsFor(out, process.env), stream: out });
  await runDemo({ novels: join(ROOT, 'demo', 'novels'), repl: 'pyodide', out, interactive: false, narrator, store });
  const [record] = await store.runs.list({ rootsOnly: true, limit: 1 });
  if (record === undefined) throw new Error('the demo left no run');
  const file = join(folder, 'run.html');
  writeFileSync(file, exportedHtml(await readDocument(record, store), readPageFiles()));
  await store.close();
  return file;
}

async function takePictures(file: string): Promise<void> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  for (const [name, colorScheme, keys] of [
    ['page-light', 'light', []],
    ['page-dark', 'dark', ['3']],
  ] as const) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, colorScheme });
    await page.goto(pathToFileURL(file).href);
    await page.locator('.turn').first().waitFor();
    for (const key of keys) await page.keyboard.press(key);
    if (keys.length > 0) await page.locator('.strip').first().waitFor();
    // The picture of the calls is drawn once its size is known.
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
    await page.screenshot({ path: join(ROOT, 'docs', `${name}.png`) });
    await page.close();
  }
  await browser.close();
}
