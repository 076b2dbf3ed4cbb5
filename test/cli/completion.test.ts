/** `fathom completion`: each shell with its script, as a person who presses Tab has it. */
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPython } from '../repl-conformance/plain-python.ts';
import { FATHOM_COMMAND, runFathom } from './run-fathom.ts';
import { Terminal } from './terminal.ts';

const run = promisify(execFile);
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-completion-'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'novel.txt'), 'text');
  const command = join(folder, 'bin', 'fathom');
  writeFileSync(command, `#!/bin/sh\nexec ${FATHOM_COMMAND} "$@"\n`);
  chmodSync(command, 0o755);
  writeFileSync(join(folder, 'a b.txt'), 'text');
  for (const shell of ['bash', 'zsh', 'fish'] as const)
    writeFileSync(join(folder, `completion.${shell}`), (await runFathom(['completion', shell])).stdout);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function surroundings() {
  const { PATH = '', HOME = '' } = process.env;
  return { cwd: folder, env: { PATH: `${join(folder, 'bin')}:${PATH}`, HOME, TERM: 'xterm' } };
}

/** The shell is not on this machine: its tests are left out, with the reason. */
function isMissing(shell: string): boolean {
  const missing = spawnSync(shell, ['--version']).status !== 0;
  if (missing) console.warn(`The tests of completion in ${shell} are left out: it is not installed.`);
  return missing;
}

/** The words that bash offers for a line. */
async function pressTab(words: readonly string[]): Promise<readonly string[]> {
  const script = [
    'source completion.bash',
    'COMP_WORDS=(fathom "$@")',
    'COMP_CWORD=$#',
    '_fathom',
    `printf '%s\\n' "$\{COMPREPLY[@]}"`,
  ].join('\n');
  const { stdout } = await run('bash', ['--norc', '-c', script, 'bash', ...words], surroundings());
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

describe.skipIf(isMissing('fish'))('fish', () => {
  test.each([
    ['fathom as', ['ask']],
    ['fathom ask --max-c', ['--max-concurrent-calls', '--max-cost']],
    ['fathom ask -m openai/gpt-5-mi', ['openai/gpt-5-mini']],
    ['fathom ask Q -f nov', ['novel.txt']],
    ['fathom ask Q --repl py', ['pyodide', 'python']],
    ['fathom ask Q -f a', ['a b.txt']],
  ])('completes %s', async (line, wanted) => {
    const script = 'source completion.fish; complete -C $argv[1]';
    const { stdout } = await run('fish', ['--no-config', '-c', script, line], surroundings());
    const offered = stdout.trimEnd().split('\n');
    expect(offered.map((one) => one.split('\t')[0])).toEqual(wanted);
  });
});

const { path: python, reason } = findPython();
if (python === undefined) console.warn(`The tests of completion in zsh are left out: ${reason}`);

describe.skipIf(isMissing('zsh') || python === undefined)('zsh', () => {
  /** An interactive zsh, with the line typed and Tab pressed, until it shows a text. */
  async function tabbed(line: string, until: string): Promise<string> {
    const { cwd, env } = surroundings();
    using terminal = new Terminal(['-f', '-i'], { python: python ?? '', cwd, env, program: ['zsh'] });
    const setup = ['autoload -U compinit', 'compinit -u -D', 'source completion.zsh', "bindkey '^I' complete-word"];
    terminal.press(`${setup.join('; ')}; print REA""DY\n`);
    await terminal.until('READY\n');
    const before = terminal.text.length;
    terminal.press(`${line}\t`);
    await terminal.until(until);
    return terminal.text.slice(before);
  }

  test.each([
    ['a command', 'fathom as', 'fathom ask '],
    ['a model', 'fathom ask -m openai/gpt-5-mi', 'fathom ask -m openai/gpt-5-mini '],
    ['a file', 'fathom ask Q -f nov', 'fathom ask Q -f novel.txt '],
    ['a file whose name has a blank', 'fathom ask Q -f a', String.raw`fathom ask Q -f a\ b.txt `],
  ])('completes %s', async (_, line, completed) => {
    expect(await tabbed(line, completed)).toContain(completed);
  });

  test('lists options with their descriptions, and shells, which have none', async () => {
    const options = await tabbed('fathom ask --max-co', '--max-cost ');
    expect(options).toMatch(/--max-concurrent-calls +-- calls under way/);
    expect(await tabbed('fathom completion ', 'zsh')).not.toContain('--');
  });
});

test('a shell without a script is refused', async () => {
  const { code, stderr } = await runFathom(['completion', 'tcsh']);
  expect(code).toBe(2);
  expect(stderr).toContain('bash, zsh, fish');
});
