/** `fathom mcp --http` as a process: its options, and a restart between question and answer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect, it, onTestFinished } from 'vitest';
import { FATHOM_ARGV, runFathom } from '../cli/run-fathom.ts';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { call } from './harness.ts';

const KEY = 'test-key-0123456789';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'fathom-mcp-http-'));
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}

interface Started {
  readonly child: ChildProcess;
  readonly client: Client;
}

/** Starts the command with a key, and connects to the address that it prints. */
async function start(mock: MockProvider, cwd: string): Promise<Started> {
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
  const [program, ...first] = FATHOM_ARGV;
  const child = spawn(program, [...first, 'mcp', '--http', '--port', '0', '-m', `${mock.url}/v1#root`], {
    cwd,
    env: { PATH, HOME: cwd, NODE_COMPILE_CACHE, FATHOM_SERVER_KEY: KEY },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [line] = (await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), once(child, 'exit')])) as [
    unknown,
  ];
  const [, url] = /^Listening on (http:\S+\/mcp) \(keys: owner; reads no paths\)\.\n$/.exec(String(line)) ?? [];
  if (url === undefined) throw new Error(`${String(line)}\n${stderr}`);
  const client = new Client({ name: 'test', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${KEY}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  onTestFinished(() => client.close());
  return { child, client };
}

it.each(['SIGTERM', 'SIGKILL'] as const)(
  'a run is continued by the next server after %s',
  async (signal) => {
    const [released, waiting] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const mock = await startMockProvider({
      respond: async ({ messages }) => {
        if (messages.every(({ role }) => role !== 'assistant')) return '```repl\nn = 41 + len(context)\n```';
        waiting.resolve();
        await released.promise;
        return 'FINAL_VAR(n)';
      },
    });
    onTestFinished(() => mock.close());
    const cwd = await folder();
    const first = await start(mock, cwd);
    const { run_id } = (await call(first.client, 'start', { question: 'How many?', text: 'x' })).data;
    // A call that waits for the run when the server stops.
    const waited = call(first.client, 'result', { run_id, wait_seconds: 50 }).catch((error: unknown) => error);
    await waiting.promise;
    const exit = once(first.child, 'exit');
    first.child.kill(signal);
    expect(await exit).toEqual(signal === 'SIGTERM' ? [0, null] : [null, 'SIGKILL']);
    if (signal === 'SIGTERM') expect(await waited).toMatchObject({ data: { run_id, status: 'paused' } });
    released.resolve();
    const { client } = await start(mock, cwd);
    expect((await call(client, 'result', { run_id, wait_seconds: 50 })).data).toMatchObject({ answer: '42' });
    // The second turn is asked again, the first is not.
    expect(mock.calls).toHaveLength(3);
  },
  60_000,
);

it('refuses a public address without a key, keys that others can read, and options of HTTP without --http', async () => {
  const cwd = await folder();
  const refused = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runFathom(['mcp', '-m', 'scripted:none.json', ...args], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toContain(KEY);
    return stderr;
  };
  expect(await refused('--http', '--host', '0.0.0.0')).toContain('FATHOM_SERVER_KEY');
  await writeFile(join(cwd, 'keys.json'), `{"owner":"${KEY}"}`, { mode: 0o644 });
  expect(await refused('--http', '--keys', 'keys.json')).toContain('chmod 600');
  expect(await refused('--port', '0')).toContain('--port has no effect without --http');
}, 30_000);
