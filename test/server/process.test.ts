/** `fathom serve` as a process: its options, SIGTERM, and kill -9. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { FATHOM_ARGV, runFathom } from '../cli/run-fathom.ts';
import { cell } from '../engine/harness.ts';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { KEY, raw, until } from './harness.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'fathom-serve-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}

/** Starts the command; its URL once it listens. */
async function start(
  mock: MockProvider,
  cwd: string,
  args: readonly string[] = [],
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
  const [program, ...first] = FATHOM_ARGV;
  const child = spawn(program, [...first, 'serve', '--port', '0', '-m', `${mock.url}/v1#root`, ...args], {
    cwd,
    env: { PATH, HOME: cwd, NODE_COMPILE_CACHE, FATHOM_SERVER_KEY: KEY },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until(() => /Listening on \S+\/v1/.test(said) || child.exitCode !== null, 'the server listens');
  const [, url] = /Listening on (\S+)\/v1/.exec(said) ?? [];
  if (url === undefined) throw new Error(said);
  return { child, url };
}

const headers = { authorization: `Bearer ${KEY}` };

/** Answers in two turns; the second waits until it is released. */
async function waitingMock(): Promise<{ readonly mock: MockProvider; readonly release: () => void }> {
  const released = Promise.withResolvers<void>();
  const mock = await startMockProvider({
    respond: async ({ messages }) => {
      if (messages.filter(({ role }) => role === 'assistant').length === 0) return cell('n = 41 + 1', 'print(n)');
      await released.promise;
      return 'FINAL_VAR(n)';
    },
  });
  onTestFinished(() => mock.close());
  return { mock, release: () => released.resolve() };
}

it.each(['SIGKILL', 'SIGTERM'] as const)(
  'after %s and a restart no run of the server is lost, and no other is paid on',
  async (signal) => {
    const { mock, release } = await waitingMock();
    const cwd = folder();
    const first = await start(mock, cwd);
    const { json } = await raw(`${first.url}/v1/runs`, { headers, body: { query: 'own', context: 'a text' } });
    const background = await raw(`${first.url}/v1/responses`, {
      headers,
      body: { model: 'fathom', input: 'back', background: true },
    });
    const bound = raw(`${first.url}/v1/chat/completions`, {
      ...{ headers, body: { model: 'fathom', messages: [{ role: 'user', content: 'bound' }] } },
    }).catch(() => undefined);
    await until(() => mock.calls.length === 6 && mock.inFlight === 3, 'all three wait in their second turn');
    first.child.kill(signal);
    const [code] = (await once(first.child, 'exit')) as [number | null];
    expect(code).toBe(signal === 'SIGTERM' ? 0 : null);
    await bound;
    release();

    const second = await start(mock, cwd);
    const run = async (id: unknown) => (await raw(`${second.url}/v1/runs/${String(id)}`, { headers })).json;
    await until(async () => (await run(json.id)).status === 'completed', 'the own run has ended');
    expect(await run(json.id)).toMatchObject({ result: { text: '42' } });
    const response = `${second.url}/v1/responses/${String(background.json.id)}`;
    await until(async () => (await raw(response, { headers })).json.status === 'completed', 'the response is done');
    const { json: all } = await raw(`${second.url}/v1/runs`, { headers });
    const byQuery = Object.fromEntries(
      (all.data as { query: string; status: string }[]).map(({ query, status }) => [query, status]),
    );
    expect(byQuery).toEqual({ own: 'completed', back: 'completed', bound: 'aborted' });
    // Two second turns are asked again; no first turn, and nothing of the run whose connection is gone.
    expect(mock.calls).toHaveLength(8);
    second.child.kill('SIGTERM');
    await once(second.child, 'exit');
  },
  60_000,
);

it('serves further models by their alias, each with a limit on money that its price allows', async () => {
  const mock = await startMockProvider({ respond: ({ model }) => `FINAL("${model}")` });
  onTestFinished(() => mock.close());
  const other = `${mock.url}/v1#other`;
  // The price of the root model is known, so it has a limit on money; that of the other one is not.
  const { url } = await start(mock, folder(), ['--price', '1,2', '--alias', `big=${other}`]);
  const { json } = await raw(`${url}/v1/models`, { headers });
  expect(json).toMatchObject({ data: [{ id: 'fathom' }, { id: 'big' }] });
  for (const [model, text] of [
    ['fathom', 'root'],
    ['big', 'other'],
  ]) {
    const body = { model, messages: [{ role: 'user', content: 'Who are you?' }] };
    const answer = await raw(`${url}/v1/chat/completions`, { headers, body });
    expect(answer.json).toMatchObject({ model, choices: [{ message: { content: text } }] });
  }
});

it('refuses a public address without a key, and keys that others can read', async () => {
  const cwd = folder();
  const open = await runFathom(['serve', '--host', '0.0.0.0', '-m', 'scripted:none.json'], { cwd });
  expect(open).toMatchObject({ code: 2, stdout: '' });
  expect(open.stderr).toContain('FATHOM_SERVER_KEY');
  writeFileSync(join(cwd, 'keys.json'), `{"owner":"${KEY}"}`, { mode: 0o644 });
  const readable = await runFathom(['serve', '--keys', 'keys.json', '-m', 'scripted:none.json'], { cwd });
  expect(readable.code).toBe(2);
  expect(readable.stderr).toContain('chmod 600');
  expect(readable.stderr).not.toContain(KEY);
  writeFileSync(join(cwd, 'broken.json'), `{"owner":"${KEY}"`, { mode: 0o600 });
  const broken = await runFathom(['serve', '--keys', 'broken.json', '-m', 'scripted:none.json'], { cwd });
  expect(broken.stderr).toContain('not JSON');
  expect(broken.stderr).not.toContain(KEY);
});
