/** `fathom session` as a user runs it: every command is a process of its own. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRlm, sqliteStore } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { type FathomOptions, type FathomOutcome, runFathom } from './run-fathom.ts';

const ESCAPE = '\u001b';
const cell = (code: string): string => `\`\`\`python\n${code}\n\`\`\``;
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-sessions-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (name: string, replies: readonly unknown[]): string => {
  writeFileSync(join(folder, name), JSON.stringify(replies));
  return `scripted:${name}`;
};
const session = async (args: readonly string[], options: FathomOptions = {}): Promise<FathomOutcome> =>
  await runFathom(['session', ...args], { cwd: folder, ...options });

async function create(args: readonly string[] = [], options: FathomOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await session(['create', ...args], options);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}\n$/);
  return stdout.trim();
}

describe('a session', () => {
  test('is made by one process, used by a second, snapshotted, rolled back by others, without any model', async () => {
    const id = await create(['-f', '-'], { input: 'the context' });
    const used = await session(['exec', id, '-'], {
      input: 'v = 1\nopen("f", "w").write("file")\nprint("out")\nv, context',
    });
    expect(used).toMatchObject({ code: 0, stdout: "out\n(1, 'the context')\n", stderr: '' });
    expect(await session(['snapshot', id, 'one'])).toMatchObject({
      code: 0,
      stderr: 'one taken; 1 snapshot in all.\n',
    });
    await session(['exec', id, 'v = 2\nopen("f", "w").write("other")']);
    expect((await session(['rollback', id, 'one'])).code).toBe(0);
    const bash = await session(['bash', id, 'cat f; exit 3', '--json']);
    expect(bash.code).toBe(1);
    expect(JSON.parse(bash.stdout)).toMatchObject({ ok: false, exitCode: 3, stdout: 'file' });
    const failed = await session(['exec', id, `print("${ESCAPE}[1m")\n1 / (v - 1)`]);
    expect(failed).toMatchObject({ code: 1, stdout: `${ESCAPE}[1m\n` });
    expect(failed.stderr).toContain('ZeroDivisionError');

    const missing = await session(['exec', id, 'llm_query("x")']);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('LLMError: No model is named: give -m provider/model');
    expect(await session(['ask', id, 'Q'])).toMatchObject({ code: 2, stdout: '' });

    const status = JSON.parse((await session(['status', id, '--json'])).stdout);
    expect(status).toMatchObject({ id, state: 'ready', snapshots: [{ name: 'one' }] });
    expect(status.commands.map(({ kind, ok }: { kind: string; ok: boolean }) => [kind, ok])).toEqual([
      ['cell', true],
      ['cell', true],
      ['bash', false],
      ['cell', false],
      ['cell', false],
    ]);
    expect((await session(['close', id])).stderr).toBe(`Session ${id} is closed.\n`);
    expect(readdirSync(join(folder, '.fathom', 'stdin'))).toEqual([]);
    const closed = await session(['exec', id, '1', '--json']);
    expect(closed.code).toBe(5);
    expect(JSON.parse(closed.stdout)).toMatchObject({ error: { code: 'session-closed' } });
  });

  test('asks with its own models, and pays for nothing twice', async () => {
    const models = [
      ...['-m', script('root.json', [cell('b = llm_query("ask")\nFINAL(a + b + context)')])],
      ...['--sub-model', script('sub.json', ['one ', 'two '])],
    ];
    const id = await create(models);
    await session(['exec', id, 'a = llm_query("exec")']);
    script('sub.json', ['two ']);
    writeFileSync(join(folder, 'more.txt'), 'more');
    const asked = await session(['ask', id, 'What?', '-f', 'more.txt', '-q']);
    expect(asked).toMatchObject({ code: 0, stdout: 'one two more\n', stderr: '' });
    script('root.json', []);
    script('sub.json', []);
    expect((await session(['exec', id, '[a, b, context_0]'])).stdout).toBe("['one ', 'two ', 'more']\n");
    const status = JSON.parse((await session(['status', id, '--json'])).stdout);
    expect(status).toMatchObject({ model: 'scripted:root.json', usage: { calls: 3 } });
    const { stdout } = await runFathom(['runs', '--text', 'What?', '--json'], { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject([{ sessionId: id, status: 'completed' }]);
  });

  test('stops a cell at SIGTERM, and is not kept waiting by it afterwards', async () => {
    const id = await create(['-m', script('never.json', [{ text: 'never', latencyMs: 120_000 }])]);
    let child: ChildProcess | undefined;
    const stopped = session(['exec', id, 'n = 1\nllm_query("x")\nn = 2'], { onStart: (started) => (child = started) });
    const called = async (): Promise<boolean> => {
      const store = sqliteStore(join(folder, '.fathom'), { readOnly: true });
      const events = await store.events.read(id);
      await store.close();
      return events.some(({ type }) => type === 'subcall.started');
    };
    while (!(await called())) await new Promise((resolve) => setTimeout(resolve, 20));
    child?.kill('SIGTERM');
    expect(await stopped).toMatchObject({ code: 143 });
    expect(await session(['exec', id, 'n'])).toMatchObject({ code: 0, stdout: '1\n' });
  });

  test('ten snapshots made and deleted leave place for ten more', async () => {
    const id = await create();
    const names = Array.from({ length: 10 }, (_, n) => `s${n}`);
    for (let round = 0; round < 2; round++) {
      expect((await session(['snapshot', id, ...names])).stderr).toContain('10 snapshots in all');
      expect((await session(['snapshot', id, 'more'])).stderr).toContain('[snapshot-limit]');
      expect((await session(['delete-snapshot', id, ...names, '--json'])).stdout).toBe('[]\n');
    }
  });
});

describe('the time of a session', () => {
  test('is extended so often; then it is over, and that is said', async () => {
    const id = await create(['--lifetime', '600']);
    const { expiresAt } = JSON.parse((await session(['status', id, '--json'])).stdout) as { expiresAt: string };
    for (let n = 0; n < 3; n++) expect((await session(['extend', id])).stderr).toContain(`${2 - n} extension`);
    const refused = await session(['extend', id]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('[extension-limit]');
    const later = JSON.parse((await session(['status', id, '--json'])).stdout) as { expiresAt: string };
    expect(Date.parse(later.expiresAt) - Date.parse(expiresAt)).toBe(3 * 1_800_000);
  });

  test('is over: it is reaped, and a later command says so', async () => {
    const id = await create(['--lifetime', '0.001']);
    expect((await session(['status', id])).stdout).toContain(`${id}  expired`);
    expect((await session(['list'])).stdout).not.toContain(id);
    const late = await session(['exec', id, '1']);
    expect(late).toMatchObject({ code: 5, stdout: '' });
    expect(late.stderr).toContain('[session-expired]');
    const listed = JSON.parse((await session(['list', '--all', '--json'])).stdout) as { id: string; state: string }[];
    expect(listed).toContainEqual(expect.objectContaining({ id, state: 'expired' }));
  });
});

test('another process that has a session open is named; the others can be used meanwhile', async () => {
  const id = await create();
  const store = sqliteStore(join(folder, '.fathom'));
  const rlm = createRlm({ model: scriptedModel([]), store });
  const open = await rlm.createSession();
  for (const args of [
    ['exec', open.id, '1'],
    ['extend', open.id],
    ['close', open.id],
  ]) {
    const refused = await session(args);
    expect(refused).toMatchObject({ code: 5, stdout: '' });
    expect(refused.stderr).toMatch(new RegExp(`in use by process ${process.pid} on .*\\[session-locked\\]`));
  }
  expect((await session(['list'])).stdout).toContain(open.id);
  expect((await session(['exec', id, 'print(6 * 7)'])).stdout).toBe('42\n');
  await rlm.close();
  expect((await session(['exec', open.id, 'print(1)'])).stdout).toBe('1\n');
  await store.close();
});

test.each([
  { args: ['exec', 'not-an-id', '1'], code: 5, says: '[session-not-found]' },
  { args: ['status', '01ARZ3NDEKTSV4RRFFQ69G5FAV', '--store', 'nowhere'], code: 5, says: 'There is no store at' },
  { args: ['create', '--lifetime', '0'], code: 2, says: '[invalid-limit]' },
  { args: ['create', '-m', 'unknown/x'], code: 5, says: '[model-not-found]' },
])('$args: exit code $code', async ({ args, code, says }) => {
  const outcome = await session(args);
  expect(outcome).toMatchObject({ code, stdout: '' });
  expect(outcome.stderr).toContain(says);
  expect(outcome.stderr).not.toMatch(/^\s+at /m);
});
