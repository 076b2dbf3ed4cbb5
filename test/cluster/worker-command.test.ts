/** `fathom worker` and `--workers`. */
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runFathom } from '../cli/run-fathom.ts';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { isOfChild } from '../resume/kill-script.ts';
import { NO_REDIS, type RedisServer, startRedis } from '../servers/redis-server.ts';

if (NO_REDIS !== undefined) console.warn(`The tests of fathom worker are skipped: ${NO_REDIS}`);

describe.skipIf(NO_REDIS !== undefined)('fathom worker', () => {
  let redis: RedisServer;
  let mock: MockProvider;
  beforeAll(async () => {
    redis = await startRedis();
    mock = await startMockProvider({
      respond({ system, messages }) {
        if (!system.includes('You answer a query')) return { text: 'flat' };
        const child = isOfChild(messages);
        const cell = child
          ? 'print(context)\nFINAL(context + "!")'
          : `print(1)\nFINAL(rlm_query('CHILD', 'from afar'))`;
        return { text: `\`\`\`repl\n${cell}\n\`\`\`` };
      },
    });
  }, 60_000);
  afterAll(async () => {
    await mock.close();
    await redis.stop();
  });

  it('runs the children of a question, and ends after a signal', async () => {
    const ready = Promise.withResolvers<ChildProcess>();
    const worker = runFathom(['worker', '--queue', 'command'], {
      env: { ...mock.env, FATHOM_REDIS: redis.url },
      onStderr: (text, child) => text.includes('Working on the queue command') && ready.resolve(child),
    });
    const child = await ready.promise;
    const args = [
      'ask',
      'ROOT',
      '-m',
      'openai/gpt-5',
      '--max-depth',
      '2',
      '--workers',
      redis.url,
      '--queue',
      'command',
      '--no-store',
    ];
    const answer = await runFathom(args, { env: mock.env });
    expect(answer).toMatchObject({ code: 0, stdout: 'from afar!\n' });
    child.kill('SIGTERM');
    const { code, stderr } = await worker;
    expect(code).toBe(0);
    expect(stderr).toMatch(/[0-9A-Z]{26} ended: converged/);
  }, 120_000);

  it('serves its metrics on loopback', async () => {
    const ready = Promise.withResolvers<ChildProcess>();
    let log = '';
    const worker = runFathom(['worker', '--queue', 'metrics', '--metrics', '0', '--concurrency', '3'], {
      env: { ...mock.env, FATHOM_REDIS: redis.url },
      onStderr: (text, child) => {
        log += text;
        if (log.includes('Working on the queue')) ready.resolve(child);
      },
    });
    const child = await ready.promise;
    const args = ['ask', 'ROOT', '-m', 'openai/gpt-5', '--max-depth', '2', '--no-store', '--queue', 'metrics'];
    expect((await runFathom([...args, '--workers', redis.url], { env: mock.env })).code).toBe(0);
    const url = /Metrics: (http:\/\/127\.0\.0\.1:\d+\/metrics)/.exec(log)?.[1] ?? '';
    const figure = async (name: string): Promise<number> => {
      const text = await (await fetch(url)).text();
      return Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')
          .at(-1),
      );
    };
    await vi.waitFor(async () => expect(await figure('fathom_worker_children')).toBe(0), { timeout: 20_000 });
    expect(await figure('fathom_worker_max_children')).toBe(3);
    expect(await figure('fathom_worker_max_runs')).toBe(0);
    expect(await figure('fathom_worker_begun_total{kind="child"}')).toBe(1);
    expect(await figure('fathom_worker_ended_total{kind="child",outcome="converged"}')).toBe(1);
    expect(await figure('fathom_worker_calls_total')).toBe(1);
    expect((await fetch(url.replace('metrics', 'other'))).status).toBe(404);
    child.kill('SIGTERM');
    expect((await worker).code).toBe(0);
  }, 120_000);

  it('names a server that it cannot reach, without its password', async () => {
    const { code, stderr } = await runFathom(['worker', '--redis', 'redis://me:secret@127.0.0.1:9']);
    expect(code).toBe(5);
    expect(stderr).toContain('redis://127.0.0.1:9 cannot be reached');
    expect(stderr).not.toContain('secret');
  }, 60_000);

  it('says which option it needs', async () => {
    const { code, stderr } = await runFathom(['worker']);
    expect(code).toBe(2);
    expect(stderr).toContain('FATHOM_REDIS');
  });
});
