/** `fathom ask --dry-run`: the plan of a question, before anything is sent or stored. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { type FathomOptions, type FathomOutcome, runFathom } from './run-fathom.ts';

let folder = '';
let mock: MockProvider;
let requests = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-cli-plan-'));
  writeFileSync(join(folder, 'a.txt'), 'alpha');
  mock = await startMockProvider({
    respond: () => {
      requests += 1;
      return 'FINAL("end")';
    },
  });
});

afterAll(async () => {
  await mock.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (args: readonly string[], options: FathomOptions = {}): Promise<FathomOutcome> => {
  requests = 0;
  return runFathom(['ask', ...args, '-m', `${mock.url}/v1#m`], { cwd: folder, ...options });
};

const planned = (stdout: string) => JSON.parse(stdout) as Record<string, unknown>;

describe('ask --dry-run', () => {
  test('prints route, models, context and costs; sends nothing and leaves no file', async () => {
    const limits = ['--price', '1,2', '--max-tokens', '1000000', '--max-turns', '4', '--max-sub-calls', '10'];
    const { code, stdout, stderr } = await ask(['Q', '-f', 'a.txt', '--dry-run', '--mode', 'direct', ...limits]);
    expect({ code, stderr, requests }).toEqual({ code: 0, stderr: '', requests: 0 });
    expect(stdout.split('\n')).toEqual([
      'mode          direct',
      'route         direct: the mode is direct',
      expect.stringMatching(/^direct call {3}about \d+ tokens of input; at most 1 call, 16\.\dk tokens, \$0\.033$/),
      'window        not known',
      'model         openai-compatible/m',
      'sub-calls     openai-compatible/m',
      'context       context: str (5 bytes)',
      'typical       not known (the store has 0 like runs, and 3 are needed)',
      'worst case    17 calls, 1.00M tokens, $2.00',
      '',
    ]);
    expect(readdirSync(folder)).toEqual(['a.txt']);
  });

  test('with --json prints the plan of the library, the piped input as its context', async () => {
    const { code, stdout, stderr } = await ask(['Q', '--dry-run', '--json'], { input: 'alpha beta' });
    expect(code).toBe(0);
    expect(planned(stdout)).toMatchObject({
      ...{ mode: 'always', route: { chosen: 'loop', reason: 'the mode is always', tokens: null, window: null } },
      ...{ contextBytes: 10, direct: null, typical: { runs: 0, costUsd: null } },
      models: { root: { id: 'openai-compatible/m', price: null } },
      worst: {
        calls: 1_058,
        tokens: 2_000_000,
        costUsd: null,
        reasons: ['the price of openai-compatible/m is not known'],
      },
    });
    expect(stderr).toContain('no limit on money');
    expect(requests).toBe(0);
    expect(existsSync(join(folder, '.fathom'))).toBe(false);
  });

  test('takes the typical figures from the store that would keep the run, and adds nothing to it', async () => {
    const runs = ['Q', '-f', 'a.txt', '--price', '1,2', '--store', 'kept', '--mode', 'direct'];
    for (let count = 0; count < 3; count += 1) expect((await ask(runs)).code).toBe(0);
    const elsewhere = await runFathom(['ask', ...runs, '--dry-run', '--json', '-m', 'http://127.0.0.1:9/v1#m'], {
      cwd: folder,
    });
    expect(planned(elsewhere.stdout)).toMatchObject({ typical: { runs: 0 } });
    const { code, stdout, stderr } = await ask([...runs, '--dry-run', '--json']);
    expect({ code, stderr, requests }).toEqual({ code: 0, stderr: '', requests: 0 });
    expect(planned(stdout)).toMatchObject({ typical: { runs: 3, calls: 1, tokens: expect.any(Number), reasons: [] } });
    expect((await ask([...runs, '--dry-run'])).stdout).toMatch(/^typical .* median of 3 like runs$/m);
    const listed = await runFathom(['runs', 'list', '--store', 'kept', '--json'], { cwd: folder });
    expect(JSON.parse(listed.stdout)).toHaveLength(3);
    rmSync(join(folder, 'kept'), { recursive: true });
  });

  test.each([
    ['a file that is not there', ['Q', '-f', 'missing.txt'], 'context-not-found'],
    ['no question', ['-f', 'a.txt'], 'invalid-option'],
    ['a store that is not one', ['Q', '--store', 'a.txt'], 'store-failure'],
    ['a limit on money without a price', ['Q', '--max-cost', '1'], 'price-unknown'],
  ])('has the error and the exit code of the run: %s', async (_, args, code) => {
    const run = await ask([...args, '--json', '-q']);
    const dry = await ask([...args, '--json', '-q', '--dry-run']);
    expect(dry.code).toBe(run.code);
    expect(dry.code).toBeGreaterThan(0);
    if (code !== 'store-failure') expect(dry.stderr).toBe(run.stderr);
    expect(planned(dry.stdout)).toMatchObject({ error: { code } });
    expect(planned(run.stdout)).toMatchObject({ error: { code } });
    expect(requests).toBe(0);
    rmSync(join(folder, '.fathom'), { recursive: true, force: true });
  });

  test('takes the mode of the config file', async () => {
    mkdirSync(join(folder, 'config', 'fathom'), { recursive: true });
    writeFileSync(join(folder, 'config', 'fathom', 'config.json'), '{ "mode": "direct" }');
    const args = ['ask', 'Q', '-f', 'a.txt', '--dry-run', '--json', '-m', 'http://127.0.0.1:9/v1#m'];
    const how = { cwd: folder, env: { XDG_CONFIG_HOME: join(folder, 'config') } };
    expect(planned((await runFathom(args, how)).stdout)).toMatchObject({ mode: 'direct' });
    expect(planned((await runFathom([...args, '--mode', 'always'], how)).stdout)).toMatchObject({ mode: 'always' });
  });

  test('is refused with the options of an answer', async () => {
    const { code, stderr } = await ask(['Q', '--dry-run', '-o', 'answer.txt']);
    expect(code).toBe(2);
    expect(stderr).toContain('cannot be used with option');
  });

  test('makes no store in a folder without one', async () => {
    mkdirSync(join(folder, 'plain'));
    const { code } = await ask(['Q', '--dry-run', '--json', '--store', 'plain']);
    expect({ code, files: readdirSync(join(folder, 'plain')) }).toEqual({ code: 0, files: [] });
  });
});
