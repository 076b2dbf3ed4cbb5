/** Runs that take longer than their client waits, over the pipes of a process of `fathom mcp`. */
import { once } from 'node:events';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { scriptedModel } from '../../src/test.ts';
import { FATHOM_ARGV } from '../cli/run-fathom.ts';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { type Called, call, connectPair, type Pair } from './harness.ts';

/** Milliseconds after which the client ends a call. */
const TIMEOUT = 2_000;
const CELLS = [
  '```repl\nfirst = 1\n```',
  '```repl\nsecond = 2\n```',
  '```repl\nFINAL(f"{first + second} of {len(context)}")\n```',
];

let folder: string;
let provider: MockProvider;
/** Questions whose model waits until the test opens the gate; the others get a reply after the timeout of their client. */
const gates = new Map<string, PromiseWithResolvers<void>>();
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'fathom-mcp-long-')));
  await writeFile(join(folder, 'data.txt'), 'x'.repeat(1_000));
  provider = await startMockProvider({
    respond: async ({ messages }) => {
      const text = CELLS[messages.filter(({ role }) => role === 'assistant').length] ?? '';
      const gate = gates.get(questionOf(messages) ?? '');
      await gate?.promise;
      // Each reply takes as long as the client waits: the run takes three times as long.
      return { text, latencyMs: gate === undefined ? TIMEOUT : 0 };
    },
  });
});
afterAll(async () => {
  await provider.close();
  await rm(folder, { recursive: true });
});

/** A question of which the model gives no reply until `open` is called. */
function gated(question: string): { readonly question: string; readonly open: () => void } {
  const gate = Promise.withResolvers<void>();
  gates.set(question, gate);
  return { question, open: gate.resolve };
}

function questionOf(messages: readonly { readonly content: string }[]): string | undefined {
  const seen = messages.map(({ content }) => content).join();
  return [...gates.keys()].find((question) => seen.includes(question));
}

async function spawnServer(
  { onTestFinished }: TestContext,
  ...args: readonly string[]
): Promise<{ client: Client; pid: number; stderr: () => string }> {
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
  const [command, ...first] = FATHOM_ARGV;
  const transport = new StdioClientTransport({
    command,
    args: [...first, 'mcp', '-m', 'openai/gpt-5-nano', ...args],
    cwd: folder,
    env: { ...provider.env, PATH, NODE_COMPILE_CACHE, HOME: folder },
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return { client, pid: transport.pid ?? 0, stderr: () => stderr };
}

describe('a run three times as long as the timeout of its client', { timeout: 60_000 }, () => {
  const question = { question: 'How many?', paths: ['data.txt'] };

  it('is delivered to a client that listens to progress', async () => {
    // Progress more often than the timeout: the start of a REPL on a busy machine may take longer than that.
    const model = `${provider.url}/v1#root`;
    const pair = await connectPair({ rlm: { model }, roots: [folder], limits: { progressMs: TIMEOUT / 4 } });
    onTestFinished(() => pair[Symbol.asyncDispose]());
    const { client } = pair;
    const messages: string[] = [];
    const asked = await call(client, 'ask', question, {
      timeout: TIMEOUT,
      resetTimeoutOnProgress: true,
      onprogress: ({ message = '' }) => messages.push(message),
    });
    expect(asked.data).toMatchObject({ answer: '3 of 1000', turns: 3 });
    expect(messages[0]).toContain(`run ${asked.data.run_id}`);
    for (const turn of [1, 2, 3]) expect(messages.join('\n')).toContain(`turn ${turn} of 30`);
  });

  it('is delivered by start, status and result to a client that does not', async (context) => {
    const { client } = await spawnServer(context);
    const { data } = await call(client, 'start', question);
    let found: Called;
    do {
      found = await call(client, 'result', { run_id: data.run_id, wait_seconds: 1 }, { timeout: TIMEOUT });
    } while (found.data.status === 'running');
    expect(found.data).toMatchObject({ status: 'completed', answer: '3 of 1000' });
  });
});

describe('a run that outlives a call, or its server', { timeout: 60_000 }, () => {
  const ask = { paths: ['data.txt'] };

  it('is joined by the same question after a timeout, and paid once', async (context) => {
    const { client } = await spawnServer(context);
    const { question, open } = gated('How many are joined?');
    await expect(call(client, 'ask', { ...ask, question }, { timeout: 500 })).rejects.toThrow(/timed out/i);
    const [first] = (await call(client, 'status')).data.runs as readonly { run_id: string; status: string }[];
    expect(first).toMatchObject({ status: 'running' });
    const asked = call(client, 'ask', { ...ask, question }, { timeout: 30_000 });
    open();
    expect((await asked).data).toMatchObject({ answer: '3 of 1000', run_id: first?.run_id });
    const paid = provider.calls.filter(
      ({ request, outcome }) => outcome === 'replied' && questionOf(request.messages) === question,
    );
    expect(paid).toHaveLength(CELLS.length);
  });

  it('is paused when the server ends, killed or not, and resumed by the next one', async (context) => {
    const { question, open } = gated('How many are resumed?');
    const one = await spawnServer(context);
    const { data } = await call(one.client, 'start', { ...ask, question });
    await one.client.close();
    const two = await spawnServer(context);
    expect((await call(two.client, 'status', { run_id: data.run_id })).data.runs).toMatchObject([
      { status: 'running' },
    ]);
    process.kill(two.pid, 'SIGKILL');
    const three = await spawnServer(context);
    open();
    const found = await call(three.client, 'result', { run_id: data.run_id, wait_seconds: 30 }, { timeout: 40_000 });
    expect(found.data, three.stderr()).toMatchObject({ status: 'completed', answer: '3 of 1000' });
  });

  it('is stored when start returns, also while it waits for a REPL: a kill and the next server continue it', async (context) => {
    const [first, second] = [gated('Which is first?'), gated('Which waits?')];
    const one = await spawnServer(context, '--max-repls', '1');
    const started = await call(one.client, 'start', { ...ask, question: first.question });
    const queued = await call(one.client, 'start', { ...ask, question: second.question });
    expect(queued.data).toMatchObject({ status: 'running', doing: 'waiting for a REPL, number 1 in the queue' });
    process.kill(one.pid, 'SIGKILL');
    const two = await spawnServer(context, '--max-repls', '1');
    for (const { open } of [first, second]) open();
    for (const { data } of [started, queued]) {
      const found = await call(two.client, 'result', { run_id: data.run_id, wait_seconds: 40 }, { timeout: 45_000 });
      expect(found.data, two.stderr()).toMatchObject({ status: 'completed', answer: '3 of 1000' });
    }
  });
});

describe('a call that its client ends', { timeout: 30_000 }, () => {
  /** A server whose model gives no reply until `open` is called, or the run is stopped. */
  const started = async (lingerMs = 600_000): Promise<Pair & { readonly open: () => void }> => {
    const gate = Promise.withResolvers<void>();
    const model = scriptedModel(async ({ signal }) => {
      await Promise.race([gate.promise, once(signal, 'abort')]);
      return '```repl\nFINAL("late")\n```';
    });
    const pair = await connectPair({ rlm: { model }, limits: { lingerMs } });
    onTestFinished(() => pair[Symbol.asyncDispose]());
    return { ...pair, open: gate.resolve };
  };
  const runOf = async ({ client }: Pair): Promise<string> => {
    for (;;) {
      const [run] = (await call(client, 'status')).data.runs as readonly { run_id: string }[];
      if (run !== undefined) return run.run_id;
    }
  };
  const asked = { question: 'q', text: 'abc' };
  /** Asks, and ends the call in the first turn with the reason that clients give for a timeout. Resolves with the run. */
  const timedOut = async ({ client }: Pair): Promise<string> => {
    const [begun, control] = [Promise.withResolvers<string>(), new AbortController()];
    const ask = call(client, 'ask', asked, {
      signal: control.signal,
      onprogress: ({ message = '' }) => {
        const [, id] = /^run (\S+): turn 1 /.exec(message) ?? [];
        if (id !== undefined) begun.resolve(id);
      },
    });
    ask.catch(() => undefined); // It is ended.
    const id = await begun.promise;
    control.abort('Request timed out');
    await expect(ask).rejects.toThrow();
    return id;
  };

  it('stops its run when the client cancels', async () => {
    const pair = await started();
    const control = new AbortController();
    const ask = call(pair.client, 'ask', asked, { signal: control.signal });
    const id = await runOf(pair);
    control.abort('the user pressed escape');
    await expect(ask).rejects.toThrow();
    const { data } = await call(pair.client, 'result', { run_id: id, wait_seconds: 20 });
    expect(data).toMatchObject({ status: 'aborted', reason: expect.stringContaining('the client cancelled') });
  });

  it('does not stop a run that another call waits for, nor one of start', async () => {
    const pair = await started();
    const control = new AbortController();
    const one = call(pair.client, 'ask', asked, { signal: control.signal });
    const two = call(pair.client, 'ask', asked);
    await runOf(pair);
    const { data } = await call(pair.client, 'start', { ...asked, question: 'q2' });
    const again = new AbortController();
    const joined = call(pair.client, 'ask', { ...asked, question: 'q2' }, { signal: again.signal });
    await call(pair.client, 'status');
    for (const each of [control, again]) each.abort('the user pressed escape');
    for (const ended of [one, joined]) await expect(ended).rejects.toThrow();
    pair.open();
    expect((await two).data).toMatchObject({ answer: 'late' });
    expect((await call(pair.client, 'result', { run_id: data.run_id })).data).toMatchObject({ answer: 'late' });
  });

  it('ends its run after lingerMs when the client timed out and does not come back', async () => {
    const pair = await started(200);
    await timedOut(pair);
    // `status` without an id does not ask for the run.
    const record = async (): Promise<{ status: string } | undefined> => {
      const [run] = (await call(pair.client, 'status')).data.runs as readonly { status: string }[];
      return run;
    };
    await expect.poll(record, { timeout: 10_000 }).toMatchObject({ status: 'aborted' });
  });

  it('keeps the answer of a run that ended meanwhile for the same question', async () => {
    const pair = await started();
    const id = await timedOut(pair);
    pair.open();
    const done = async (): Promise<unknown> => (await call(pair.client, 'status', { run_id: id })).data.runs;
    await expect.poll(done, { timeout: 10_000 }).toMatchObject([{ status: 'completed' }]);
    expect((await call(pair.client, 'ask', asked)).data).toMatchObject({ run_id: id, answer: 'late' });
    // The answer has been delivered: the same question is a new one.
    expect((await call(pair.client, 'ask', asked)).data.run_id).not.toBe(id);
  });

  it('is stopped on demand, or gives its best answer', async () => {
    const pair = await started();
    const { data } = await call(pair.client, 'start', asked);
    const stopped = await call(pair.client, 'result', { run_id: data.run_id, stop: 'cancel' });
    expect(stopped.data).toMatchObject({ status: 'aborted', outcome: 'aborted' });
  });
});
