/** Contexts by `-f` and pipes, as a user gives them: a process, its streams, its exit code. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { runFathom } from './run-fathom.ts';

const MODEL = ['-m', 'openai/gpt-5-mini'];
const LOOK = '```python\nFINAL(f"{type(context).__name__} {context!r}")\n```';
let folder = '';
let mock: MockProvider;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-cli-context-'));
  mock = await startMockProvider({ respond: () => LOOK });
  writeFileSync(join(folder, 'l1.tsv'), Buffer.from('Name\tStadt\nJos\xe9\tM\xfcnchen\n', 'latin1'));
  writeFileSync(join(folder, 'contract.pdf'), Buffer.from('%PDF-1.4\xe2', 'latin1'));
  mkdirSync(join(folder, 'project', 'node_modules', 'x'), { recursive: true });
  for (const name of ['node_modules/x/i.js', 'a.ts', '.env', 'p.bin'])
    writeFileSync(join(folder, 'project', name), name === 'p.bin' ? '\x7fELF\x02' : name);
});
beforeEach(() => mock.respondWith(() => LOOK));
afterAll(async () => {
  await mock.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (args: readonly string[], options: Parameters<typeof runFathom>[1] = {}) =>
  runFathom(['ask', 'Q', ...MODEL, ...args], { cwd: folder, ...options, env: { ...mock.env, ...options.env } });

describe('encodings', () => {
  test('the guess is said, the text is right, and the wire has it', async () => {
    mock.respondWith(({ prompt }) =>
      prompt === 'München' ? 'ja' : '```python\nFINAL(llm_query(context.split()[3]))\n```',
    );
    const { code, stdout, stderr } = await ask(['-f', 'l1.tsv']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'ja\n' });
    expect(stderr).toContain('! l1.tsv is not UTF-8: read as windows-1252; --encoding says otherwise');
    expect(stderr).toContain('text of `l1.tsv` (TSV, 24 bytes, windows-1252)');
  });

  test('--encoding says otherwise', async () => {
    const { stdout, stderr } = await ask(['-f', 'l1.tsv', '--encoding', 'koi8-r']);
    expect(stdout).toContain('JosИ');
    expect(stderr).not.toContain('! l1.tsv');
  });

  test('an encoding that there is not costs nothing', async () => {
    const before = mock.calls.length;
    const { code, stderr } = await ask(['-f', 'l1.tsv', '--encoding', 'klingon']);
    expect(code).toBe(5);
    expect(stderr).toContain('there is no encoding "klingon"');
    expect(mock.calls.length).toBe(before);
  });
});

test('a damaged PDF is refused before anything is spent', async () => {
  const before = mock.calls.length;
  const { code, stdout, stderr } = await ask(['-f', 'contract.pdf']);
  expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
  expect(stderr).toContain('contract.pdf cannot be used: it is a PDF that cannot be read: it is damaged');
  expect(mock.calls.length).toBe(before);
});

describe('folders', () => {
  test('what is left out is one line; -v lists it', async () => {
    const brief = await ask(['-f', 'project']);
    expect(brief.stdout).toContain("[<document 'project/a.ts', 4 characters>]");
    expect(brief.stderr).toContain(
      '! left out: 1 binary (.bin 1), 1 ignored (node_modules/), 1 secret (.env); -v lists them',
    );
    const full = await ask(['-v', '-f', 'project']);
    expect(full.stderr).toContain('ignored: node_modules/');
    expect(full.stderr).toContain('binary: project/p.bin');
  });

  test('--no-ignore and --exclude', async () => {
    const { stdout } = await ask(['--no-ignore', '--exclude', 'a.ts', '-f', 'project']);
    expect(stdout).toContain('project/node_modules/x/i.js');
    expect(stdout).not.toContain('project/a.ts');
  });
});

describe('pipes', () => {
  test('what is piped in is the context, a socket as Node makes it', async () => {
    const { code, stdout, stderr } = await ask([], { input: 'piped' });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "str 'piped'\n" });
    expect(stderr).toContain('text of `standard input` (5 bytes, UTF-8)');
  });

  test('a redirected file is', async () => {
    writeFileSync(join(folder, 'in.txt'), 'redirected');
    expect((await ask([], { inputFile: join(folder, 'in.txt') })).stdout).toBe("str 'redirected'\n");
  });

  test.each([
    ['--no-stdin leaves it', ['--no-stdin'], 'piped'],
    ['empty input means no context, with a notice', [], ''],
  ])('%s', async (_, args, input) => {
    const { code, stdout, stderr } = await ask(args, { input });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'NoneType None\n' });
    expect(stderr.includes('Standard input is empty: the question is asked without a context.')).toBe(input === '');
  });

  test('with -f it is read by -f - alone', async () => {
    const { stdout } = await ask(['-f', 'in.txt'], { input: 'piped' });
    expect(stdout).toBe("str 'redirected'\n");
    expect((await ask(['-f', '-'], { input: 'piped' })).stdout).toBe("str 'piped'\n");
    expect((await ask(['-f', '/dev/stdin'], { input: 'piped' })).stdout).toBe("str 'piped'\n");
  });

  test('a pipe that stays empty: a notice after two seconds, exit 2 in the end, nothing spent', async () => {
    const before = mock.calls.length;
    let said = '';
    const outcome = await runFathom(['ask', 'Q', ...MODEL, '--stdin-timeout', '3'], {
      cwd: folder,
      env: mock.env,
      keepInputOpen: true,
      onStderr: (text) => {
        said = text;
      },
    });
    expect(outcome.code).toBe(2);
    expect(said).toContain('Waiting for standard input, for at most 3 s without a byte; --no-stdin or < /dev/null');
    expect(said).toContain('Nothing came on standard input for 3 s');
    expect(mock.calls.length).toBe(before);
  });

  test('<(…), a fifo and a file of the kernel are read, by their names', async () => {
    const shell = promisify(execFile);
    await shell('mkfifo', [join(folder, 'pipe')]);
    const writing = shell('sh', ['-c', `printf fifo > '${join(folder, 'pipe')}'`]);
    const { stdout, stderr } = await ask(['-f', 'pipe']);
    await writing;
    expect(stdout).toBe("str 'fifo'\n");
    expect(stderr).toContain('text of `pipe` (4 bytes, UTF-8)');
    const kernel = await ask(['-f', '/proc/version', 'l1.tsv', '--no-store']);
    expect(kernel.stdout).toContain("<document '/proc/version', ");
    expect(kernel.stdout).not.toContain('/proc/version, 0 characters');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('a fifo without a writer is waited for, until %s', async (signal) => {
    const shell = promisify(execFile);
    await shell('mkfifo', ['-m', '600', join(folder, `silent-${signal}`)]);
    const before = mock.calls.length;
    const timers: NodeJS.Timeout[] = [];
    const outcome = await runFathom(['ask', 'Q', '-m', `${mock.url}/v1#m`, '-f', `silent-${signal}`, '--no-stdin'], {
      cwd: folder,
      // The command installs its handlers after the shell would have ended it: asked again until it has ended.
      onStart: (child) => void timers.push(setInterval(() => child.kill(signal), 1_500)),
    });
    for (const timer of timers) clearInterval(timer);
    expect(outcome.code ?? outcome.signal).not.toBe(0);
    expect(outcome.stdout).toBe('');
    expect(mock.calls.length).toBe(before);
  });

  test.each([
    ['missing', '/nowhere/at/all'],
    ['a file', '/proc/version'],
    ['read-only', '/proc'],
  ])('C: a temporary folder that is %s is named, with what to do', async (_, TMPDIR) => {
    const { code, stdout, stderr } = await ask(['--no-store'], { input: 'piped', env: { TMPDIR } });
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toContain(`The piped input cannot be kept in ${TMPDIR}: `);
    expect(stderr).toContain('set TMPDIR');
  });

  test('spooled input is gone afterwards', async () => {
    await ask(['-f', 'l1.tsv']);
    // On a slow machine a command of a test above may still be at work.
    await vi.waitFor(() => expect(readdirSync(join(folder, '.fathom', 'stdin'))).toEqual([]), { timeout: 15_000 });
  });
});

test('runs show names the file that an answer is about', async () => {
  const { stderr } = await ask(['-f', 'l1.tsv']);
  const id = /[0-9A-HJKMNP-TV-Z]{26}/.exec(stderr)?.[0] ?? 'last';
  const list = await runFathom(['runs', '--json'], { cwd: folder });
  const runs = JSON.parse(list.stdout) as readonly { readonly id: string }[];
  const shown = await runFathom(['runs', 'show', runs[0]?.id ?? id], { cwd: folder });
  expect(shown.stdout).toContain('text of `l1.tsv` (TSV, 24 bytes, windows-1252)');
});
