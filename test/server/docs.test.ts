/** The examples of docs/server.md do what the page says. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { SERVER_LIMITS } from '../../src/server/index.ts';
import { runFathom } from '../cli/run-fathom.ts';
import { final, KEY, serve } from './harness.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'fathom-server-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PAGE = readFileSync(fileURLToPath(new URL('../../docs/server.md', import.meta.url)), 'utf8');
const blocks = (tag: string): readonly string[] =>
  [...PAGE.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === tag)
    .map(([, , body = '']) => body);
const CURLS = blocks('sh').filter((block) => block.startsWith('curl'));

/** Where the names of packages lead in this repository. */
const PACKAGES: Readonly<Record<string, string>> = {
  openai: import.meta.resolve('openai'),
  'fathom-rlm': new URL('../../src/index.ts', import.meta.url).href,
  'fathom-rlm/server': new URL('../../src/server/index.ts', import.meta.url).href,
  'fathom-rlm/test': new URL('../../src/test.ts', import.meta.url).href,
};

async function runExample(code: string, url: string): Promise<string> {
  const file = join(folder, 'example.ts');
  const local = code.replaceAll('http://127.0.0.1:8000', url);
  writeFileSync(
    file,
    local.replace(/from '([^']+)'/g, (all, name: string) => (PACKAGES[name] ? `from '${PACKAGES[name]}'` : all)),
  );
  const env = { ...process.env, FATHOM_SERVER_KEY: KEY };
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file], { cwd: folder, env });
  return stdout;
}

test('it has the examples that this test knows', () => {
  expect(CURLS).toHaveLength(4);
  expect(blocks('ts')).toHaveLength(2);
});

test.each(CURLS)('%s', async (block) => {
  const { server } = await serve({ respond: () => final('five'), server: { keys: { owner: KEY } } });
  const { stdout } = await run('bash', ['-e', '-c', block.replaceAll('http://127.0.0.1:8000', server.url)], {
    env: { ...process.env, FATHOM_SERVER_KEY: KEY },
  });
  expect(stdout).toMatch(/"object":"(?:chat.completion|response|run)"|"openapi"/);
});

test('the program with the official client prints the answer', async () => {
  const { server } = await serve({ respond: () => final('Lady Catherine'), server: { keys: { owner: KEY } } });
  expect(await runExample(blocks('ts')[0] ?? '', server.url)).toBe('Lady Catherine');
});

test('the program with its own server prints the answer', async () => {
  expect(await runExample(blocks('ts')[1] ?? '', '')).toBe('yes\n');
});

test('its options are those of the command, and its limits those of the server', async () => {
  const { stdout } = await runFathom(['serve', '--help']);
  for (const [, option = ''] of PAGE.matchAll(/[`, ](--[a-z-]+)/g)) expect(stdout).toContain(option);
  const { bodyBytes, headerTimeoutMs, bodyTimeoutMs, maxRunsPerKey } = SERVER_LIMITS;
  expect([bodyBytes / 1024 / 1024, headerTimeoutMs, bodyTimeoutMs, maxRunsPerKey]).toEqual([32, 10_000, 60_000, 64]);
});
