/** Options that a user gives, a variable or the config file sets, as they reach the model, the file and the screen. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MockProvider, type MockRequest, startMockProvider } from '../mock-provider/index.ts';
import { type FathomOptions, runFathom } from './run-fathom.ts';

let folder = '';
let mock: MockProvider;
let other: MockProvider;
let seen: MockRequest[] = [];

const CELL = '```python\nFINAL(llm_query("hi"))\n```';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-cli-options-'));
  writeFileSync(join(folder, 'a b.txt'), 'alpha');
  const respond = (request: MockRequest): string => {
    seen.push(request);
    return request.prompt === 'hi' ? 'ho' : CELL;
  };
  [mock, other] = await Promise.all([startMockProvider({ respond }), startMockProvider({ respond })]);
});

afterAll(async () => {
  await Promise.all([mock.close(), other.close()]);
  rmSync(folder, { recursive: true, force: true });
});

async function ask(args: readonly string[], options: FathomOptions = {}) {
  seen = [];
  return await runFathom(['ask', ...args], { cwd: folder, ...options });
}

const model = (): string => `${mock.url}/v1#m`;

describe('what reaches the model', () => {
  test('prices cap a server of one’s own; settings and limits are sent', async () => {
    const settings = ['--temperature', '0.1', '--sub-temperature', '0.9', '--reasoning-effort', 'low'];
    const limits = ['--max-output-tokens', '777', '--limit', 'maxSubCallOutputTokens=55', '--max-cost', '1'];
    const { code, stdout, stderr } = await ask(['Q', '-m', model(), '--price', '1,2', ...settings, ...limits]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'ho\n' });
    expect(seen.map(({ body }) => body)).toMatchObject([
      { temperature: 0.1, reasoning_effort: 'low', max_tokens: 777 },
      { temperature: 0.9, reasoning_effort: 'low', max_tokens: 55 },
    ]);
    expect(stderr).toMatch(/converged .* \$0\.00/);
    expect(stderr).not.toContain('no limit on money');
  });

  test('mode direct asks once, with the whole context', async () => {
    const { stdout, stderr } = await ask(['Q', '-f', 'a b.txt', '-m', model(), '--mode', 'direct']);
    expect(seen.map(({ prompt }) => prompt)).toEqual(['<context>\nalpha\n</context>\n\nQuestion:\nQ']);
    expect(stdout).toBe(CELL.concat('\n'));
    expect(stderr).toContain('one direct call: the mode is direct');
    expect(stderr).toContain('no REPL');
    expect(stderr).not.toContain('isolation');
    const { stdout: shown } = await runFathom(['runs', 'show', 'last'], { cwd: folder });
    expect(shown).toMatch(/^REPL +none$/m);
    expect((await ask(['Q', '--mode', 'sometimes'])).code).toBe(2);
  });

  test('instructions join the system prompt', async () => {
    await ask(['Q', '-m', model(), '--instructions', 'Answer in Frisian.']);
    expect(seen[0]?.system).toContain('Answer in Frisian.');
  });

  test('a header goes to the root model’s server alone, unless a model is named, and is not kept', async () => {
    const headers = ['--header', 'X-Team: secret-team', '--header', `${other.url}/v1#s=X-Sub: 1`];
    await ask(['Q', '-m', model(), '--sub-model', `${other.url}/v1#s`, ...headers]);
    expect(seen.map(({ headers: sent }) => [sent['x-team'], sent['x-sub']])).toEqual([
      ['secret-team', undefined],
      [undefined, '1'],
    ]);
    for (const name of readdirSync(join(folder, '.fathom'), { recursive: true, encoding: 'utf8' })) {
      const path = join(folder, '.fathom', name);
      if (statSync(path).isFile()) expect(readFileSync(path, 'latin1')).not.toContain('secret-team');
    }
  });

  test('--call-timeout ends a call of a server that hangs', async () => {
    mock.respondWith(() => ({ fault: 'hang-before-headers' }));
    const { code, stderr } = await ask(['Q', '-m', model(), '--call-timeout', '0.3']);
    expect(code).toBe(1);
    expect(stderr).toContain('--call-timeout');
    mock.respondWith((request) => {
      seen.push(request);
      return request.prompt === 'hi' ? 'ho' : CELL;
    });
  });

  test.each([1, 2, 3, 4])('--timeout ends a run of a server that hangs with exit code 4 (%i)', async () => {
    mock.respondWith(() => ({ fault: 'hang-before-headers' }));
    expect((await ask(['Q', '-m', model(), '--timeout', '0.4'])).code).toBe(4);
    mock.respondWith((request) => {
      seen.push(request);
      return request.prompt === 'hi' ? 'ho' : CELL;
    });
  });
});

describe('the order of -f and the question', () => {
  test.each([
    ['the question first', () => ['What is it?', '-f', 'a b.txt', '-m', model()]],
    ['the question last', () => ['-m', model(), '-f', 'a b.txt', 'What is it?']],
    ['behind a sub-model', () => ['-f', 'a b.txt', '-m', model(), '--sub-model', model(), 'What is it?']],
  ])('%s', async (_, args) => {
    expect((await ask(args())).code).toBe(0);
    expect(seen[0]?.messages.map(({ content }) => content).join('')).toContain('What is it?');
  });

  test('a file whose name has a blank is not a question', async () => {
    const { code, stderr } = await ask(['-m', model(), '-f', 'a b.txt']);
    expect(code).toBe(2);
    expect(stderr).toContain('The question is missing');
    expect(seen).toEqual([]);
  });
});

describe('-o', () => {
  test('writes the answer for its owner alone, and nothing to standard output', async () => {
    const outcome = await ask(['Q', '-m', model(), '-o', 'answer.txt']);
    expect(outcome).toMatchObject({ code: 0, stdout: '' });
    expect(outcome.stderr).toContain('The answer is in answer.txt.');
    expect(readFileSync(join(folder, 'answer.txt'), 'utf8')).toBe('ho\n');
    expect(statSync(join(folder, 'answer.txt')).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['a file that exists', 'kept.txt', 'exists: --force'],
    ['a link', 'link.txt', 'exists: --force'],
    ['a folder that does not exist', 'none/answer.txt', 'cannot be written'],
    ['a folder', 'folder', 'exists'],
  ])('%s is refused before anything is sent', async (_, path, says) => {
    writeFileSync(join(folder, 'kept.txt'), 'kept');
    rmSync(join(folder, 'link.txt'), { force: true });
    symlinkSync('kept.txt', join(folder, 'link.txt'));
    mkdirSync(join(folder, 'folder'), { recursive: true });
    const { code, stderr } = await ask(['Q', '-m', model(), '-o', path]);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(seen).toEqual([]);
    expect(readFileSync(join(folder, 'kept.txt'), 'utf8')).toBe('kept');
  });

  test('--force replaces the file, also a link and not what it leads to; nothing else is left', async () => {
    writeFileSync(join(folder, 'kept.txt'), 'kept');
    rmSync(join(folder, 'link.txt'), { force: true });
    symlinkSync('kept.txt', join(folder, 'link.txt'));
    expect((await ask(['Q', '-m', model(), '-o', 'link.txt', '--force'])).code).toBe(0);
    expect(readFileSync(join(folder, 'link.txt'), 'utf8')).toBe('ho\n');
    expect(readFileSync(join(folder, 'kept.txt'), 'utf8')).toBe('kept');
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('a run without an answer makes no file', async () => {
    const args = ['Q', '-m', 'scripted:none.json', '-o', 'no-answer.txt'];
    expect((await ask(args)).code).not.toBe(0);
    expect(readdirSync(folder)).not.toContain('no-answer.txt');
  });
});

describe('the config file', () => {
  test('sets the model and the limits; a variable and an option win', async () => {
    const config = join(folder, 'config');
    mkdirSync(join(config, 'fathom'), { recursive: true });
    const content = { model: `${mock.url}/v1#from-config`, limits: { maxOutputTokens: 99 }, temperature: 0.3 };
    writeFileSync(join(config, 'fathom', 'config.json'), JSON.stringify(content));
    const env = { XDG_CONFIG_HOME: config };
    expect((await ask(['Q'], { env })).code).toBe(0);
    expect(seen[0]).toMatchObject({ model: 'from-config', body: { max_tokens: 99, temperature: 0.3 } });
    await ask(['Q', '--max-output-tokens', '88'], { env: { ...env, FATHOM_MODEL: `${mock.url}/v1#from-env` } });
    expect(seen[0]).toMatchObject({ model: 'from-env', body: { max_tokens: 88 } });
  });

  test('in the working directory is not read', async () => {
    mkdirSync(join(folder, 'fathom'), { recursive: true });
    writeFileSync(join(folder, 'fathom', 'config.json'), '{ "model": "ollama/evil" }');
    const outcome = await ask(['Q'], { env: { XDG_CONFIG_HOME: '.', HOME: join(folder, 'missing') } });
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('No model is named') });
  });
});

describe('did you mean', () => {
  test.each([
    [['who wrote it?'], 'Did you mean fathom ask "question"?'],
    [['aks', 'q'], 'Did you mean ask?'],
    [['runs', 'shw'], 'Did you mean fathom runs show?'],
    [['ask', 'Q', '--max-cst', '1'], 'Did you mean --max-cost?'],
    [['ask', 'Q', '-m', 'gpt-5'], 'Did you mean openai/gpt-5?'],
    [['ask', 'Q', '-m', 'scripted:x', '--limit', 'maxTurn=1'], 'Did you mean maxTurns?'],
  ])('fathom %j', async (args, says) => {
    const { code, stderr } = await runFathom(args, { cwd: folder });
    expect(code).not.toBe(0);
    expect(stderr).toContain(says);
  });

  test('fathom models lists ids, windows and prices', async () => {
    const { code, stdout } = await runFathom(['models', 'GPT-5', 'mini'], { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^openai\/gpt-5-mini +400k +0\.25 in, 2 out/m);
    const json = JSON.parse((await runFathom(['models', 'openai/gpt-5-mini', '--json'], { cwd: folder })).stdout);
    expect(json[0]).toMatchObject({ id: 'openai/gpt-5-mini', contextTokens: 400_000, price: { input: 0.25 } });
    const none = await runFathom(['models', 'no-such-model'], { cwd: folder });
    expect(none).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('--price') });
  });
});
