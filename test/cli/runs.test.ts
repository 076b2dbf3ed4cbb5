/** `fathom runs`, `resume` and `cancel` as a user runs them: processes that are killed, and others that look at what is left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { readRunLogs } from '../../src/resume/run-logs.ts';
import { checkEvents } from '../engine/check-events.ts';
import { startMockProvider } from '../mock-provider/index.ts';
import {
  cell,
  fathom,
  folder,
  hanging,
  interrupted,
  kept,
  listed,
  running,
  script,
  stored,
  until,
} from './runs-harness.ts';

const ESCAPE = '\u001b';

describe('a run that was killed', () => {
  test('continues with what it had: standard input, the sub-call it paid for, its models', async () => {
    const id = await interrupted('Q', ['-f', '-']);
    expect(readdirSync(join(folder, '.fathom', 'stdin'))).toHaveLength(1);
    script('root.json', [cell('FINAL(x + " " + context)')]);
    script('sub.json', []);
    const resumed = await fathom(['resume', id, '--json']);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ outcome: 'converged', answer: 'AAA from stdin', runId: id });
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(/Resuming: \d recorded results are not paid again/);
    expect(resumed.stderr).toMatch(/turn 2\/30 done .* so far 1 sub-call, \d/);
    expect(await kept()).toMatchObject([{ id, status: 'completed', turns: 2, subCalls: 1 }]);
    // No run needs it any more.
    expect(readdirSync(join(folder, '.fathom', 'stdin'))).toEqual([]);

    const again = await fathom(['resume', id]);
    expect(again).toMatchObject({ code: 2, stdout: '' });
    expect(again.stderr).toContain('it has ended (completed). [invalid-option]');
  });

  test('is cancelled for good: one terminal record, and it cannot continue', async () => {
    const id = await interrupted();
    const cancelled = await fathom(['cancel', id]);
    expect(cancelled).toMatchObject({ code: 0, stderr: `Run ${id} is cancelled.\n` });
    expect(await kept()).toMatchObject([{ id, status: 'aborted', outcome: 'aborted', turns: 1, subCalls: 1 }]);
    expect((await fathom(['resume', id])).stderr).toContain('it has ended (aborted)');
    expect(checkEvents(await stored((store) => store.events.read(id)))).toEqual([]);
  });

  test('is cancelled with its children', async () => {
    const models = [
      ...['-m', script('root.json', [cell('r = rlm_query("inner", "data")')])],
      ...['--sub-model', script('sub.json', [cell('y = 1'), hanging('never')]), '--max-depth', '2'],
    ];
    const asked = fathom(['ask', 'Q', ...models]);
    /** The run, once its child has had a turn. */
    const withChild = async (): Promise<string | undefined> => {
      const [run] = await kept().catch(() => []);
      if (run === undefined) return undefined;
      const { children } = await stored((store) => readRunLogs(store, run.id));
      return children[0]?.events.some(({ type }) => type === 'turn.completed') === true ? run.id : undefined;
    };
    let id: string | undefined;
    while (id === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      id = await withChild();
    }
    for (const process of running) process.kill('SIGKILL');
    await asked;
    expect((await fathom(['cancel', id])).code).toBe(0);
    const shown = await fathom(['runs', 'show', id]);
    expect(shown.stdout).toMatch(/└ "inner" · aborted \(cancelled\)/);
    const log = await stored((store) => readRunLogs(store, id));
    expect(checkEvents([...log.events, ...log.children.flatMap(({ events }) => events)])).toEqual([]);
  });
});

test('a run that is paused says how to continue, and does with the model a URL names', async () => {
  const mock = await startMockProvider({ respond: () => ({ fault: 'status', status: 401 }) });
  const model = `${mock.url}/v1#any`;
  const paused = await fathom(['ask', 'Q', '-m', model]);
  const [run] = await kept();
  expect(paused.stderr).toContain(`Resume with: fathom resume ${run?.id}\n`);
  expect(run).toMatchObject({ status: 'paused', outcome: 'failed' });
  mock.respondWith(() => cell('FINAL("mended")'));
  const resumed = await fathom(['resume', run?.id ?? '']);
  expect(resumed).toMatchObject({ code: 0, stdout: 'mended\n' });
  await mock.close();
});

describe('a folder that another process works in', () => {
  test('is looked at, keeps further questions, and names the process of a run, which gives it up when asked', async () => {
    const models = ['-m', script('root.json', [cell('x = 1'), hanging('never')])];
    let pid = 0;
    const first = fathom(['ask', `one ${ESCAPE}[31m`, ...models], {
      ...until('turn 1/30 done', (child) => {
        pid = child.pid ?? 0;
      }),
    });
    while (pid === 0) await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 10))]);
    const [run] = await listed();
    const id = run?.id ?? '';
    expect(run).toMatchObject({ status: 'running', outcome: null, turns: 1 });
    const table = await fathom(['runs']);
    expect(table.stdout).toMatch(new RegExp(`^RUN .*\\n${id} .* running .* one \\\\x1b`));
    expect((await fathom(['runs', 'show', id])).stdout).toMatch(/running\n[\s\S]*turn 1[\s\S]*✓ t1.0 cell x = 1/);

    const second = await fathom(['ask', 'two', '-m', script('two.json', [cell('FINAL(2)')])]);
    expect(second).toMatchObject({ code: 0, stdout: '2\n' });
    expect(second.stderr).not.toContain('not kept');
    expect((await listed()).map(({ query, status }) => `${query.slice(0, 3)} ${status}`)).toEqual([
      'two completed',
      'one running',
    ]);
    const resumed = await fathom(['resume', id]);
    expect(resumed).toMatchObject({ code: 5, stdout: '' });
    expect(resumed.stderr).toMatch(new RegExp(`running in process ${pid} on .*\\[run-locked\\]`));

    const cancelled = await fathom(['cancel', id]);
    expect(cancelled).toMatchObject({ code: 0, stdout: '' });
    expect(cancelled.stderr).toBe(`Run ${id} runs in process ${pid}: asking it to stop.\nRun ${id} is cancelled.\n`);
    expect(await first).toMatchObject({ code: 143, stdout: '' });
    expect(await kept()).toMatchObject([{ status: 'completed' }, { id, status: 'aborted' }]);
  });

  test('four questions at once are all kept; a kill -9 interrupts one of them, which continues', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const finished = new Map<string, ChildProcess>();
    const asked = names.map((name) =>
      fathom(['ask', name, '-f', '-', '-m', script(`${name}.json`, [cell('x = context'), hanging('never')])], {
        input: `input of ${name}`,
        ...until('turn 1/30 done', (child) => finished.set(name, child)),
      }),
    );
    while (finished.size < names.length) {
      await Promise.race([Promise.any(asked), new Promise((resolve) => setTimeout(resolve, 10))]);
    }
    expect((await kept()).map(({ query, status }) => `${query} ${status}`).sort()).toEqual(
      names.map((name) => `${name} running`),
    );
    finished.get('b')?.kill('SIGKILL');
    await asked[1];
    const left = await kept();
    expect(left.map(({ query, status }) => `${query} ${status}`).sort()).toEqual([
      'a running',
      'b interrupted',
      'c running',
      'd running',
    ]);
    // Input that another process spooled is not swept together with unneeded input.
    expect(readdirSync(join(folder, '.fathom', 'stdin'))).toHaveLength(4);
    script('b.json', [cell('FINAL(x)')]);
    const resumed = await fathom(['resume', left.find(({ query }) => query === 'b')?.id ?? '']);
    expect(resumed).toMatchObject({ code: 0, stdout: 'input of b\n' });
    expect(readdirSync(join(folder, '.fathom', 'stdin'))).toHaveLength(3);
    for (const child of finished.values()) child.kill('SIGKILL');
    await Promise.all(asked);
    for (const { id, query } of (await kept()).filter(({ status }) => status === 'interrupted')) {
      script(`${query}.json`, [cell('FINAL(x)')]);
      expect(await fathom(['resume', id])).toMatchObject({ code: 0, stdout: `input of ${query}\n` });
    }
    expect((await kept()).map(({ status }) => status)).toEqual(names.map(() => 'completed'));
  });

  test('a process that does not stop is named; one that does not own the run is never asked', async () => {
    const id = await interrupted();
    const module = new URL('../../src/store/sqlite/sqlite-store.ts', import.meta.url).href;
    const code = `import { sqliteStore } from ${JSON.stringify(module)};
      const store = sqliteStore('.fathom');
      process.on('SIGTERM', () => process.send('asked'));
      process.on('message', async () => {
        await store.lock(${JSON.stringify(`run ${id}`)}, 'process ' + process.pid);
        await store.runs.put({ ...(await store.runs.get(${JSON.stringify(id)})), status: 'running' });
        process.send('running');
      });
      process.send('open');`;
    const holder = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    running.add(holder);
    const said: unknown[] = [];
    holder.on('message', (message) => said.push(message));
    await once(holder, 'message');
    holder.send('run');
    await once(holder, 'message');
    const stubborn = await fathom(['cancel', id, '--wait', '0.3']);
    expect(stubborn.code).toBe(5);
    expect(stubborn.stderr).toContain(`Process ${holder.pid} was asked to stop run ${id} and did not end within`);
    expect(said).toEqual(['open', 'running', 'asked']);

    // A row that names another process: that one is left alone.
    const bystander = spawn('sleep', ['600'], { stdio: 'ignore' });
    running.add(bystander);
    const database = new DatabaseSync(join(folder, '.fathom', 'store.sqlite'));
    database.prepare(`UPDATE locks SET holder = json_set(holder, '$.pid', ?)`).run(bystander.pid ?? 0);
    database.close();
    const unsure = await fathom(['cancel', id, '--wait', '0.3']);
    expect(unsure).toMatchObject({ code: 5, stdout: '' });
    expect(unsure.stderr).toContain(`runs in process ${bystander.pid}: asking it to stop`);
    expect(bystander.signalCode ?? bystander.exitCode).toBeNull();
    expect(said).toHaveLength(3);

    // A process that does not end when asked is killed: its run is then free, and can be cancelled.
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect((await fathom(['cancel', id])).code).toBe(0);
    expect(bystander.signalCode ?? bystander.exitCode).toBeNull();
  });
});
