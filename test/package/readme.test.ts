/** The README's commands do what it says. Its example runs in tarball.test.ts. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runFathom } from '../cli/run-fathom.ts';
import { codeBlocks } from './readme.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { scripts } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as { scripts: Record<string, string> };
const commands = codeBlocks('sh').flatMap((block) => block.trim().split('\n'));

test('the first commands are npm ci and npm run demo', () => {
  expect(commands.slice(0, 2)).toEqual(['npm ci', 'npm run demo']);
});

test('every npm script it names is there', () => {
  const named = commands.flatMap((command) => /^npm (?:run )?(demo|test|[a-z]+:[a-z]+)\b/.exec(command)?.[1] ?? []);
  expect(named).toContain('demo');
  for (const script of named) expect(Object.keys(scripts)).toContain(script);
});

test('npm run demo answers, verifies and ends with 0', async () => {
  const { stdout } = await run('npm', ['run', '--silent', 'demo'], { cwd: ROOT });
  expect(stdout).toContain('Verified.');
  expect(stdout).toContain('"person":"Mr. Rushworth"');
  expect(stdout).toContain('82 sub-calls');
});

test('every option of fathom it shows is known', async () => {
  const { stdout } = await runFathom(['ask', '--help']);
  for (const command of commands.filter((line) => line.startsWith('fathom ask'))) {
    for (const [option] of command.matchAll(/(?<= )--?[a-z][a-z-]*/g)) expect(stdout).toContain(option);
  }
});

test('every file it links is there', () => {
  const text = readFileSync(`${ROOT}/README.md`, 'utf8');
  for (const [, path = ''] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g))
    expect([path, existsSync(`${ROOT}/${path}`)]).toEqual([path, true]);
});
