/** `fathom completion`: bash with its script, as a person who presses Tab has it. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runFathom } from './run-fathom.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const run = promisify(execFile);
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-completion-'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'novel.txt'), 'text');
  const command = join(folder, 'bin', 'fathom');
  writeFileSync(
    command,
    `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${MAIN}' "$@"\n`,
  );
  chmodSync(command, 0o755);
  writeFileSync(join(folder, 'completion.bash'), (await runFathom(['completion', 'bash'])).stdout);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The words that bash offers for a line. */
async function pressTab(words: readonly string[]): Promise<readonly string[]> {
  const script = [
    'source completion.bash',
    'COMP_WORDS=(fathom "$@")',
    'COMP_CWORD=$#',
    '_fathom',
    `printf '%s\\n' "$\{COMPREPLY[@]}"`,
  ].join('\n');
  const { PATH = '', HOME = '' } = process.env;
  const { stdout } = await run('bash', ['--norc', '-c', script, 'bash', ...words], {
    cwd: folder,
    env: { PATH: `${join(folder, 'bin')}:${PATH}`, HOME },
  });
  return stdout.split('\n').filter((line) => line !== '');
}

describe('bash', () => {
  test.each([[['']], [['a']]])('completes commands: %j', async (words) => {
    const offered = await pressTab(words);
    expect(offered).toContain('ask');
    expect(offered).not.toContain('complete');
    if (words[0] === '') expect(offered).toEqual(expect.arrayContaining(['chat', 'runs', 'session', 'completion']));
    else expect(offered).toEqual(['ask']);
  });

  test.each([
    [
      ['ask', '--max-c'],
      ['--max-cost', '--max-concurrent-calls'],
    ],
    [['session', 'snap'], ['snapshot']],
    [['session', 'exec', '--ti'], ['--timeout']],
    [
      ['ask', 'Q?', '--repl', ''],
      ['auto', 'pyodide', 'python'],
    ],
    [['runs', 'list', '--status', 'completed', 'f'], ['failed']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['ask', '-m', 'openai/gpt-5-m'], ['openai/gpt-5-mini']],
  ])('completes %j', async (words, wanted) => {
    expect(await pressTab(words)).toEqual(expect.arrayContaining(wanted));
  });

  test.each([
    [['ask', 'Q?', '-f', 'nov']],
    [['ask', 'Q?', '-f', 'a.txt', 'nov']],
    [['ask', 'Q']],
    [['runs', 'show', 'id', '']],
  ])('leaves %j to the names of files', async (words) => {
    expect(await pressTab(words)).toEqual([]);
  });

  test('completes ids of runs and of sessions, also of another store', async () => {
    writeFileSync(join(folder, 'r.json'), '["FINAL(1)"]');
    const asked = await runFathom(['ask', 'Q?', '-m', 'scripted:r.json', '--json'], { cwd: folder });
    const { runId } = JSON.parse(asked.stdout) as { runId: string };
    const made = await runFathom(['session', 'create', '--store', 'other'], { cwd: folder });
    const id = made.stdout.trim();
    expect(await pressTab(['resume', ''])).toEqual(['last', runId]);
    expect(await pressTab(['runs', 'show', runId.slice(0, 12)])).toEqual([runId]);
    expect(await pressTab(['session', 'ask', '--store', 'other', ''])).toEqual(['last', id]);
    expect(await pressTab(['chat', '--store', 'other', '--session', id.slice(0, 5)])).toEqual([id]);
    expect(await pressTab(['session', 'ask', ''])).toEqual([]);
  });
});

test('a shell without a script is refused', async () => {
  const { code, stderr } = await runFathom(['completion', 'tcsh']);
  expect(code).toBe(2);
  expect(stderr).toContain('bash, zsh, fish');
});
