/** `fathom runs`, `resume` and `cancel` as a user runs them: processes that are killed, and others that look at what is left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunFacts, runFacts } from '../../src/cli/runs/run-facts.ts';
import { type Store, sqliteStore } from '../../src/index.ts';
import { readRunLogs } from '../../src/resume/run-logs.ts';
import { checkEvents } from '../engine/check-events.ts';
import { startMockProvider } from '../mock-provider/index.ts';
import { type FathomOptions, type FathomOutcome, runFathom } from './run-fathom.ts';

const ESCAPE = '\u001b';
const cell = (code: string): string => `\`\`\`python\n${code}\n\`\`\``;
/** Longer than any test: what answers so is stopped before. */
const NEVER_MS = 120_000;
const hanging = (text: string): object => ({ text, latencyMs: NEVER_MS });

const folders: string[] = [];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-runs-'));
  folders.push(folder);
});
const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

const script = (name: string, replies: readonly unknown[]): string => {
  writeFileSync(join(folder, name), JSON.stringify(replies));
  return `scripted:${name}`;
};

const fathom = async (args: readonly string[], options: FathomOptions = {}): Promise<FathomOutcome> =>
  await runFathom(args, {
    cwd: folder,
    ...options,
    onStart: (child) => running.add(child),
  });

/** Lets a command run until standard error says this, then does that to it. */
const until = (words: string, act: (child: ChildProcess) => void): Pick<FathomOptions, 'onStderr'> => {
  let done = false;
  return {
    onStderr: (stderr, child) => {
      if (done || !stderr.includes(words)) return;
      done = true;
      act(child);
    },
  };
};
const killed = (child: ChildProcess): void => void child.kill('SIGKILL');

/** Reads the store as `fathom runs` does, but without a process of its own. */
async function stored<T>(read: (store: Store) => Promise<T>): Promise<T> {
  const store = sqliteStore(join(folder, '.fathom'), { readOnly: true });
  try {
    return await read(store);
  } finally {
    await store.close();
  }
}

/** Facts of all runs, newest first. */
const kept = (): Promise<readonly RunFacts[]> =>
  stored(async (store) => Promise.all((await store.runs.list()).map((run) => runFacts(run, store))));

const listed = async (...args: readonly string[]): Promise<readonly RunFacts[]> =>
  JSON.parse((await fathom(['runs', '--json', ...args])).stdout) as readonly RunFacts[];

/** A run whose second turn never comes; killed in it. */
async function interrupted(question = 'Q', more: readonly string[] = []): Promise<string> {
  const models = [
    ...['-m', script('root.json', [cell('x = llm_query("a")\nprint(context)'), hanging('never')])],
    ...['--sub-model', script('sub.json', ['AAA'])],
  ];
  const dead = await fathom(['ask', question, ...models, ...more], {
    input: 'from stdin',
    ...until('turn 1/30 done', killed),
  });
  expect(dead.signal).toBe('SIGKILL');
  const [run] = await kept();
  expect(run).toMatchObject({ status: 'interrupted', turns: 1, subCalls: 1 });
  return run?.id ?? '';
}

describe('a run that was killed', () => {
  test('goes on with what it had: standard input, the sub-call it paid for, its models', async () => {
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

  test('is cancelled for good: one terminal record, and it cannot go on', async () => {
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

test('a run that is paused says how to go on, and does with the model a URL names', async () => {
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

  test('four questions at once are all kept; a kill -9 interrupts one of them, which goes on', async () => {
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
    expect(stubborn.stderr).toContain(`Process ${holder.pid} was asked to stop run ${id} and has not`);
    expect(said).toEqual(['open', 'running', 'asked']);

    // A row that names another process: that one is left alone.
    const bystander = spawn('sleep', ['600'], { stdio: 'ignore' });
    running.add(bystander);
    const database = new DatabaseSync(join(folder, '.fathom', 'store.sqlite'));
    database.prepare(`UPDATE locks SET holder = json_set(holder, '$.pid', ?)`).run(bystander.pid ?? 0);
    database.close();
    const unsure = await fathom(['cancel', id]);
    expect(unsure).toMatchObject({ code: 2, stdout: '' });
    expect(unsure.stderr).toContain(`runs in process ${bystander.pid} on`);
    expect(bystander.signalCode ?? bystander.exitCode).toBeNull();
    expect(said).toHaveLength(3);

    // A process that does not end when asked is killed: its run is then free, and can be cancelled.
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect((await fathom(['cancel', id])).code).toBe(0);
    expect(bystander.signalCode ?? bystander.exitCode).toBeNull();
  });
});

describe('what is listed and shown', () => {
  test('runs by status, time and words; one with its turns, commands and children', async () => {
    const sub = script('sub.json', ['AAA', cell('FINAL(len(context))')]);
    const root = script('root.json', [
      cell('a = llm_query("a")'),
      `${cell('r = rlm_query("inner?", "12345")')}\n${cell('1/0')}`,
      cell('FINAL(a + str(r))'),
    ]);
    const asked = await fathom(['ask', 'First question', '-m', root, '--sub-model', sub, '--max-depth', '2']);
    expect(asked.stdout).toBe('AAA5\n');
    await fathom(['ask', 'Second one', '-m', script('none.json', [cell('x = 1')]), '--max-turns', '1']);

    expect((await listed()).map(({ query }) => query)).toEqual(['Second one', 'First question']);
    expect((await listed('--text', 'FIRST')).map(({ query }) => query)).toEqual(['First question']);
    expect(await listed('--status', 'failed', 'paused')).toEqual([]);
    expect(await listed('--since', '1h', '--limit', '1')).toHaveLength(1);
    expect(await listed('--since', '2999-01-01')).toEqual([]);
    const [, first] = await listed();

    const { stdout } = await fathom(['runs', 'show', first?.id ?? '']);
    expect(stdout).toContain('completed · converged (final)');
    expect(stdout).toMatch(/asked +First question/);
    expect(stdout).toMatch(/answer +AAA5/);
    expect(stdout).toMatch(/✓ t1.0 cell a = llm_query\("a"\) .* 1 sub-call/);
    expect(stdout).toMatch(/└ "inner\?" · converged \(final\)[\s\S]*✓ t1.0 cell FINAL\(len\(context\)\)/);
    expect(stdout).toContain('ZeroDivisionError: division by zero');
    const shown = JSON.parse((await fathom(['runs', 'show', first?.id ?? '', '--json'])).stdout);
    expect(shown).toMatchObject({ text: 'AAA5', tree: { figures: { subCalls: 2 }, turns: [{ number: 1 }, {}, {}] } });
  });

  const wrong: readonly { readonly args: readonly string[]; readonly code: number; readonly says: string }[] = [
    { args: ['runs', 'show', 'x', '--store', 'nowhere'], code: 5, says: 'There is no store at' },
    { args: ['runs', '--store', 'nowhere'], code: 5, says: 'There is no store at' },
    { args: ['runs', '--since', 'soon'], code: 2, says: '90m, 12h, 7d, 2w' },
    { args: ['runs', '--status', 'gone'], code: 2, says: 'interrupted' },
    { args: ['resume', '01ARZ3NDEKTSV4RRFFQ69G5FAV'], code: 5, says: '[run-not-found]' },
    { args: ['ask', 'Q', '-m', 'scripted:x', '--store', '/dev/null'], code: 5, says: '[store-failure]' },
  ];
  test.each(wrong)('$args: exit code $code', async ({ args, code, says }) => {
    const outcome = await fathom(args);
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(outcome.stderr).toContain(says);
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
  });

  test('nothing was asked yet: an empty list, and no folder is made', async () => {
    expect(await fathom(['runs'])).toMatchObject({ code: 0, stdout: '', stderr: 'There are no such runs.\n' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('--no-store keeps nothing', async () => {
    const asked = await fathom(['ask', 'Q', '--no-store', '-m', script('r.json', [cell('FINAL(1)')])]);
    expect(asked.stdout).toBe('1\n');
    expect(readdirSync(folder)).toEqual(['r.json']);
  });
});
