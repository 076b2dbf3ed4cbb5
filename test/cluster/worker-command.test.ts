/** `fathom worker` and `--workers`. */
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFathom } from '../cli/run-fathom.ts';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
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
        const child = messages.some(({ role, content }) => role === 'user' && content.startsWith('Query:\nCHILD'));
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

  it('says which option it needs', async () => {
    const { code, stderr } = await runFathom(['worker']);
    expect(code).toBe(2);
    expect(stderr).toContain('FATHOM_REDIS');
  });
});
