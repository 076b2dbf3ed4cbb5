/** `fathom chat` as a user has it: in a pipe, and on a pseudo-terminal. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sqliteStore } from '../../src/index.ts';
import { startWire } from '../field/wire.ts';
import { findPython } from '../repl-conformance/plain-python.ts';
import { type FathomOptions, type FathomOutcome, runFathom } from './run-fathom.ts';
import { Terminal } from './terminal.ts';

const cell = (code: string): string => `\`\`\`python\n${code}\n\`\`\``;
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-chat-'));
  writeFileSync(join(folder, 'list.txt'), 'milk\neggs\nbread\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (name: string, replies: readonly unknown[]): string => {
  writeFileSync(join(folder, name), JSON.stringify(replies));
  return `scripted:${name}`;
};
const chat = async (args: readonly string[], options: FathomOptions = {}): Promise<FathomOutcome> =>
  await runFathom(['chat', ...args], { cwd: folder, ...options });

const COUNT = [cell('n = len(context.splitlines())\nprint(n)'), 'FINAL_VAR(n)'];
const sessionIn = (stderr: string): string => /--session ([0-9A-HJKMNP-TV-Z]{26})/.exec(stderr)?.[1] ?? '';

describe('a chat in a pipe', () => {
  test('gives the notice about unknown prices once, also when it continues in another process', async () => {
    const wire = await startWire(() => ({ message: { content: 'FINAL("a")' } }));
    try {
      const first = await chat(['-m', wire.ref], { input: 'One?\nTwo?\n' });
      expect(first.stdout).toBe('a\na\n');
      expect(first.stderr.match(/no limit on money/g)).toHaveLength(1);
      const args = ['session', 'ask', sessionIn(first.stderr), 'Three?', '-m', wire.ref];
      const again = await runFathom(args, { cwd: folder });
      expect(again).toMatchObject({ code: 0, stdout: 'a\n', stderr: expect.not.stringContaining('no limit on money') });
    } finally {
      await wire.close();
    }
  });

  test('takes a question or a command per line, and answers on standard output', async () => {
    const model = script('pipe.json', [...COUNT, cell('print(context)'), 'FINAL(milk)']);
    const input =
      'How many?\n\n/run n + 1\n/snapshot one\n/run n = 9\n/rollback one\n/vars\n/snapshot\nAnd the first?\n';
    const { code, stdout, stderr } = await chat(['-f', 'list.txt', '-m', model], { input });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const lines = stdout.split('\n');
    expect(lines.slice(0, 2)).toEqual(['3', '4']);
    expect(lines[2]).toMatch(/^n +int +3$/);
    expect(lines.slice(-3)).toEqual(['one', 'milk', '']);
    expect(stderr).toContain('one restored');
    expect(stderr).toMatch(/in all: 2 questions · [\d.]+k tokens · \$0/);
  });

  test('continues with a session, and the model is given the earlier questions and answers', async () => {
    const fresh = await chat(['-f', 'list.txt', '-m', script('second.json', [...COUNT])], { input: 'How many lines?' });
    const id = sessionIn(fresh.stderr);
    const model = script('third.json', [cell('print(n)'), 'FINAL(none)']);
    const again = await chat(['-q', '-m', model], { input: 'Which of them is vegan?', env: { FATHOM_SESSION: id } });
    expect(again).toMatchObject({ code: 0, stdout: 'none\n' });
    const store = sqliteStore(join(folder, '.fathom'), { readOnly: true });
    const [newest, oldest] = await store.runs.list({ sessionId: id });
    expect(newest?.request.prompt?.instructions).toContain('Question 1: How many lines?\nAnswer 1: 3');
    expect(oldest?.request.prompt?.instructions).toBeUndefined();
    await store.close();
    const named = await chat(['--session', id.slice(0, 20), '-q', '-m', 'scripted:third.json'], { input: '/run n' });
    expect(named).toMatchObject({ code: 0, stdout: '3\n' });
  });

  test('continues after a line that failed, and ends with the code of the first of them', async () => {
    const model = script('bad.json', []);
    const { code, stdout, stderr } = await chat(['-q', '-m', model], {
      input: '/snapshto x\nQ?\n/run 1/0\n/run 2\n/quit\n/run 3\n',
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '2\n' });
    expect(stderr).toContain('There is no command /snapshto: did you mean /snapshot?');
    expect(stderr).toContain('ZeroDivisionError');
  });

  test('takes the lines of a cell up to an empty one', async () => {
    const input = '/run\ndef f(x):\n  return x * 2\n\n/run f(21)\n';
    expect(await chat(['-q', '-m', script('none.json', [])], { input })).toMatchObject({ code: 0, stdout: '42\n' });
  });

  test.each([
    ['-f -', ['-f', '-'], 'A chat reads its lines from standard input', 2],
    ['a session that is not there', ['--session', '01M8K7DMMKVV880X9JJPQT17VW'], 'session-not-found', 5],
    ['no model', [], 'No model is named', 2],
  ])('refuses %s before anything is spent', async (_, args, said, code) => {
    const given = args.includes('--session') ? ['-m', script('unused.json', [])] : [];
    const ended = await chat([...args, ...given], { input: 'Q?' });
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toContain(said);
  });

  test('without a store, leaves nothing behind', async () => {
    const model = script('nostore.json', COUNT);
    const ended = await chat(['--no-store', '-f', 'list.txt', '-m', model], { input: 'How many?' });
    expect(ended).toMatchObject({ code: 0, stdout: '3\n' });
    expect(ended.stderr).not.toContain('--session');
  });

  test('is left by SIGINT while a question runs, and the session stays', async () => {
    const model = script('slow.json', [...COUNT, { text: 'late', latencyMs: 120_000 }]);
    let sent = false;
    const ended = await chat(['-f', 'list.txt', '-m', model], {
      input: 'How many?\nAnd now?\nNever asked\n',
      onStderr: (text, child) => {
        if (sent || (text.match(/python REPL|embedded REPL|pyodide REPL/g)?.length ?? 0) < 2) return;
        sent = true;
        child.kill('SIGINT');
      },
    });
    expect(ended).toMatchObject({ code: 130, stdout: '3\n' });
    expect(ended.stderr).not.toContain('Never asked');
    expect(sessionIn(ended.stderr)).not.toBe('');
  });
});

const python = findPython().path;
if (python === undefined) console.warn('skipped: a chat on a terminal needs python3 for its pseudo-terminal');

describe.skipIf(python === undefined || process.platform === 'win32')('a chat on a terminal', () => {
  const open = (args: readonly string[], state: string): Terminal =>
    new Terminal(['chat', ...args], {
      python: python ?? '',
      cwd: folder,
      env: { XDG_STATE_HOME: join(folder, state) },
    });

  test('edits lines, remembers them for the next chat, and is left by Ctrl-D', { timeout: 60_000 }, async () => {
    const model = script('tty.json', COUNT);
    using one = open(['-f', 'list.txt', '-m', model], 'state');
    await one.until('Ctrl-D leaves.');
    await one.until('> ');
    one.press('How manyx\u007f?\r');
    await one.until('\n3\n');
    await one.until('> ');
    one.press('/sn');
    await one.until('/sn');
    one.press('\t');
    await one.until('apshot');
    one.press(' two\r');
    await one.until('two taken');
    await one.until('> ');
    one.press(' /run 5 * 5\r');
    await one.until('25');
    await one.until('> ');
    one.press('\u0004');
    expect(await one.closed()).toBe(0);
    const history = join(folder, 'state', 'fathom', 'chat-history');
    expect(readFileSync(history, 'utf8')).toBe('How many?\n/snapshot two\n');
    expect(statSync(history).mode & 0o777).toBe(0o600);

    using two = open(['--session', 'last'], 'state');
    await two.until('1 question so far');
    await two.until('> ');
    two.press('\u001b[A');
    await two.until('/snapshot two');
    // The first Ctrl-C drops the line, the second says how to leave, the third leaves.
    two.press('\u0003');
    await two.until('> ');
    two.press('\u0003');
    await two.until('Ctrl-C again');
    await two.until('> ');
    two.press('\u0003');
    expect(await two.closed()).toBe(130);
  });

  test('Ctrl-C cancels the question that runs, and the chat continues; a second one leaves', {
    timeout: 60_000,
  }, async () => {
    const slow = { text: 'late', latencyMs: 120_000 };
    using terminal = open(['-f', 'list.txt', '-m', script('ctrl-c.json', [slow, slow])], 'other');
    await terminal.until('> ');
    terminal.press('Slow?\r');
    await terminal.until('asking the model');
    terminal.press('\u0003');
    await terminal.until('Stopping. Ctrl-C again leaves.');
    await terminal.until('aborted');
    await terminal.until('> ');
    terminal.press('/run 6 * 7\r');
    await terminal.until('42');
    await terminal.until('> ');
    terminal.press('Slow again?\r');
    await terminal.until('asking the model');
    terminal.press('\u0003');
    await terminal.until('Stopping.');
    await terminal.until('> ');
    terminal.press('\u0003');
    expect(await terminal.closed()).toBe(130);
    expect(terminal.text).toContain('Continue with: fathom chat --session');
  });
});
