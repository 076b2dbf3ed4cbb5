/** One headless Chromium for the tests of a file: Debian's, driven without downloads. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest';
import { buildPage } from '../../tools/build-page.ts';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const { FATHOM_CHROMIUM } = process.env;
const executablePath = [...(FATHOM_CHROMIUM === undefined ? [] : [FATHOM_CHROMIUM]), ...PATHS].find((path) =>
  existsSync(path),
);

/** Whether there is a browser here; the reason is printed once where there is none. */
export const HAS_BROWSER: boolean = executablePath !== undefined;
if (!HAS_BROWSER)
  console.log('No Chromium here (/usr/bin/chromium, FATHOM_CHROMIUM): the tests of the page are skipped.');

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Milliseconds of a test, and of one thing that it waits for: a browser is slow where all cores are busy. */
const TEST_MS = 180_000;
const WAIT_MS = 45_000;

/** For `expect.poll`. */
export const POLL: { readonly timeout: number } = { timeout: WAIT_MS };

let browser: Browser | undefined;

/** Builds the page, and opens the browser for all tests of the file. */
export function useBrowser(): void {
  vi.setConfig({ testTimeout: TEST_MS, hookTimeout: TEST_MS });
  beforeAll(async () => {
    await buildPage(join(ROOT, 'viewer', 'dist'));
    if (executablePath === undefined) return;
    // The sandbox of Chromium refuses the root user of containers.
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--enable-precise-memory-info'] });
  });
  afterAll(() => browser?.close());
}

/** A page, and all that went wrong in it. */
export interface OpenedPage {
  readonly page: Page;
  /** Errors of scripts and of the console, policy violations included. */
  readonly errors: readonly string[];
  /** Addresses that the page asked for. */
  readonly requests: readonly string[];
}

/** Opens an address in a context of its own; it is closed when the test ends. */
export async function openPage(url: string, options: BrowserContextOptions = {}): Promise<OpenedPage> {
  if (browser === undefined) throw new Error('useBrowser() has not run');
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const errors: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url);
  return { page, errors, requests };
}

/** Fails for anything that axe finds serious or critical. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: readonly Violation[] }> } };
    interface Violation {
      readonly id: string;
      readonly impact: string;
      readonly nodes: readonly { readonly html: string }[];
    }
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  });
  expect(found).toEqual([]);
}

/** Fails where the page scrolls sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [scroll, width] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as readonly [
    number,
    number,
  ];
  expect(scroll).toBeLessThanOrEqual(width);
}
