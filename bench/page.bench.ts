/**
 * The page of a run with 10 000 sub-calls and 200 children, in headless Chromium, served by a process of `fathom view`: time to the
 * first view, the longest task while scrolling, and the heap of the page.
 *
 * Run: `node bench/page.bench.ts`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { sqliteStore } from '../src/index.ts';
import { makeRun } from '../test/page/made-run.ts';
import { buildPage } from '../tools/build-page.ts';
import { median, report } from './support/report.ts';

const FIRST_VIEW_GOAL_MS = 1_000;
const TASK_GOAL_MS = 50;
const HEAP_GOAL_MB = 200;
const ROUNDS = 5;
/** Steps from the top of a list to its end. */
const STEPS = 80;
const MIB = 1024 * 1024;

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const CHROMIUM = process.env.FATHOM_CHROMIUM ?? '/usr/bin/chromium';

/** Notes the moment of the first turn, and every long task. */
const WATCH = `
  globalThis.longTasks = [];
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask', buffered: true });
  new MutationObserver((_, observer) => {
    if (document.querySelector('.turn') === null) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { globalThis.firstView = performance.now(); }));
  }).observe(document, { childList: true, subtree: true });
`;

if (!existsSync(CHROMIUM)) {
  console.log(`  No Chromium at ${CHROMIUM} (FATHOM_CHROMIUM): nothing is measured.`);
  process.exit(0);
}
await buildPage(fileURLToPath(new URL('../viewer/dist', import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'fathom-page-bench-'));
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--enable-precise-memory-info'],
});
try {
  const store = sqliteStore(folder);
  const text = (name: string): string => `${name} ${'words '.repeat(40)}`;
  await makeRun(store, { turns: 9, calls: 1_000, children: 200, text });
  await store.close();
  await measureFirstViews();
  await measureScrolling();
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}

/** A process of `fathom view`, which has read nothing yet. */
async function view(): Promise<AsyncDisposable & { readonly address: string; readonly cpuMs: () => Promise<number> }> {
  const args = ['--disable-warning=ExperimentalWarning', MAIN, 'view', 'last', '--no-open', '--store', folder];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let out = '';
  for await (const piece of child.stdout ?? []) {
    out += String(piece);
    if (out.includes('\n')) break;
  }
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    address: out.trim(),
    cpuMs: () => processorMs(child.pid ?? 0),
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT');
      await ended;
    },
  };
}

/** Milliseconds of processor time that a process has used. */
async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [user = 'NaN', system = 'NaN'] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14);
  return 10 * (Number(user) + Number(system));
}

async function measureFirstViews(): Promise<void> {
  const times: number[] = [];
  const server: number[] = [];
  const renderer: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await using served = await view();
    const { page, taskMs } = await opened(browser, served.address);
    times.push((await page.evaluate('firstView')) as number);
    server.push(await served.cpuMs());
    renderer.push(await taskMs());
    await page.close();
  }
  report({ name: 'first view', measured: median(times), unit: 'ms', bar: FIRST_VIEW_GOAL_MS });
  const [ofServer, ofPage] = [median(server), median(renderer)];
  console.log(`  processor time: page ${ofPage.toFixed(0)} ms; server ${ofServer} ms, its own start included`);
}

interface Opened {
  readonly page: Page;
  /** Milliseconds that the page's thread has worked. */
  readonly taskMs: () => Promise<number>;
}

/** A page of its own, from its first request to its first turn. */
async function opened(chrome: Browser, address: string): Promise<Opened> {
  const context = await chrome.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.addInitScript(WATCH);
  await page.goto(address);
  // A function: the policy of the page evaluates no text.
  await page.waitForFunction(() => 'firstView' in globalThis);
  const taskMs = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
  };
  return { page, taskMs };
}

async function measureScrolling(): Promise<void> {
  await using served = await view();
  const { page, taskMs } = await opened(browser, served.address);
  let heap = 0;
  for (const [key, ready, scroller] of [
    ['1', '.turn', 'html'],
    ['2', '.sums:has-text("10,200 calls ·")', '.table-scroll'],
    ['3', '.strip', '.time-scroll'],
  ] as const) {
    await page.keyboard.press(key);
    await page.locator(ready).first().waitFor();
    const before = await taskMs();
    const tasks = await scrolled(page, scroller);
    const step = ((await taskMs()) - before) / STEPS;
    heap = Math.max(heap, (await page.evaluate('performance.memory.usedJSHeapSize')) as number);
    const longest = Math.max(0, ...tasks);
    report({ name: `longest task while ${scroller} scrolls`, measured: longest, unit: 'ms', bar: TASK_GOAL_MS });
    console.log(`  ${tasks.length} tasks above 50 ms; processor time of a step ${step.toFixed(1)} ms`);
  }
  report({ name: 'heap of the page, the most that was seen', measured: heap / MIB, unit: 'MB', bar: HEAP_GOAL_MB });
}

/** Scrolls from the top to the end in steps, and gives the milliseconds of each task above 50. */
async function scrolled(page: Page, scroller: string): Promise<readonly number[]> {
  return (await page.evaluate(`(async () => {
    const box = document.querySelector(${JSON.stringify(scroller)});
    longTasks.length = 0;
    const step = box.scrollHeight / ${STEPS};
    for (let top = 0; top < box.scrollHeight + step; top += step) {
      box.scrollTop = top;
      await new Promise(requestAnimationFrame);
    }
    await new Promise((resolve) => setTimeout(resolve));
    return longTasks;
  })()`)) as readonly number[];
}
