/** `fathom ask --detach`, `fathom worker --store`, `fathom runs show --follow` and `fathom cancel` of a run on another machine. */
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runFathom } from '../cli/run-fathom.ts';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../servers/postgres-server.ts';
import { NO_REDIS, type RedisServer, startRedis } from '../servers/redis-server.ts';

const MISSING = NO_POSTGRES ?? NO_REDIS;
if (MISSING !== undefined) console.warn(`The tests of fathom ask --detach are skipped: ${MISSING}`);

interface Listed {
  readonly id: string;
  readonly process?: { readonly host: string };
}

describe.skipIf(MISSING !== undefined)('fathom ask --detach', () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  let mock: MockProvider;
  let worker: Promise<unknown>;
  let child: ChildProcess;
  beforeAll(async () => {
    [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
    mock = await startMockProvider({
      respond({ system, prompt }) {
        if (!system.includes('You answer a query')) return { text: 'late', latencyMs: prompt === 'SLOW' ? 600_000 : 0 };
        const slow = prompt.includes('a slow question');
        return {
          text: slow ? '```repl\nprint(1)\nllm_query("SLOW")\n```' : '```repl\nprint(context)\nFINAL(context)\n```',
        };
      },
    });
    const ready = Promise.withResolvers<ChildProcess>();
    worker = runFathom(['worker', '--runs', '1'], {
      env: { ...mock.env, FATHOM_REDIS: redis.url, FATHOM_STORE: postgres.url },
      onStderr: (text, started) => text.includes('Working on') && ready.resolve(started),
    });
    child = await ready.promise;
  }, 90_000);
  afterAll(async () => {
    child.kill('SIGKILL');
    await worker;
    await Promise.all([mock.close(), redis.stop(), postgres.stop()]);
  });

  /** The keys of providers are the worker's alone. */
  const fathom = (...args: readonly string[]): ReturnType<typeof runFathom> =>
    runFathom([...args, '--store', postgres.url], args.includes('-f') ? { input: 'a letter' } : {});

  it('prints the id of a run that a worker answers, and another command follows it', async () => {
    const asked = await fathom(
      'ask',
      'What is it?',
      '-f',
      '-',
      '-m',
      'openai/gpt-5',
      '--workers',
      redis.url,
      '--detach',
    );
    expect(asked).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9A-Z]{26}\n$/) });
    const id = asked.stdout.trim();
    expect(asked.stderr).toContain(`fathom runs show ${id} --follow`);
    const shown = await fathom('runs', 'show', id, '--follow');
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/completed · converged/);
    expect(shown.stdout).toMatch(/answer {4}a letter/);
    expect(shown.stderr).toContain('turn 1');
  }, 120_000);

  it('is cancelled from another process, which sends no signal; the worker lives on', async () => {
    const asked = await fathom(
      'ask',
      'a slow question',
      '-m',
      'openai/gpt-5',
      '--workers',
      redis.url,
      '--detach',
      '--json',
    );
    const { runId, status } = JSON.parse(asked.stdout) as { readonly runId: string; readonly status: string };
    expect(status).toBe('queued');
    await vi.waitFor(() => expect(mock.inFlight).toBe(1), { timeout: 60_000 });
    const [run] = JSON.parse((await fathom('runs', '--json')).stdout) as readonly Listed[];
    expect(run).toMatchObject({ id: runId, status: 'running', process: { pid: child.pid, host: expect.any(String) } });
    expect((await fathom('runs')).stdout).toContain(`running (${run?.process?.host}`);
    const cancelled = await fathom('cancel', runId);
    expect(cancelled.code).toBe(0);
    expect(cancelled.stderr).toBe(
      `Run ${runId} runs in process ${child.pid}: asking it to stop.\nRun ${runId} is cancelled.\n`,
    );
    expect(child.exitCode ?? child.signalCode).toBeNull();
  }, 120_000);

  it.each([
    [['--no-store', '--workers', 'redis://127.0.0.1:9'], 'store'],
    [[], '--workers'],
  ] as const)('says what it needs (%s)', async (args, word) => {
    const { code, stderr } = await runFathom(['ask', 'Q', '-m', 'openai/gpt-5', '--detach', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(word);
  });
});
