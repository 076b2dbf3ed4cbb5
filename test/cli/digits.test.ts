/** Long integers on the command line: everything printed has all digits. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { runFathom } from './run-fathom.ts';

const DIGITS = '1152921504606846977';
const TYPED = '```python\nFINAL({"id": 2**60+1, "held": 2**60, "deep": [{"n": -10**30-7}]})\n```';
const PRINTED = { id: DIGITS, held: '1152921504606846976', deep: '-1000000000000000000000000000007' };
let folder = '';
let mock: MockProvider;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-digits-'));
  writeFileSync(
    join(folder, 'schema.json'),
    JSON.stringify({ type: 'object', properties: { id: { type: 'integer' } } }),
  );
  mock = await startMockProvider({ respond: () => TYPED });
});

afterAll(async () => {
  await mock.close();
  rmSync(folder, { recursive: true, force: true });
});

const fathom = (...args: readonly string[]) => runFathom(args, { cwd: folder, env: mock.env });

test.each([
  ['on standard output', []],
  ['in --json', ['--json']],
  ['in a file', ['-o', 'answer.json', '--force']],
])('a typed answer has all its digits %s', async (_, options) => {
  const { code, stdout } = await fathom('ask', 'Q', '--schema', 'schema.json', '-m', 'openai/gpt-5-mini', ...options);
  const printed = options[0] === '-o' ? readFileSync(join(folder, 'answer.json'), 'utf8') : stdout;
  expect(code).toBe(0);
  for (const digits of Object.values(PRINTED)) expect(printed).toContain(digits);
  expect(printed).not.toContain('rawJSON');
});

test('a typed answer that a resumed run gives has them too', async () => {
  mock.respondWith(() => ({ fault: 'status', status: 401 }));
  const paused = await fathom('ask', 'Q', '--schema', 'schema.json', '-m', `${mock.url}/v1#any`);
  const id = /fathom resume (\w+)/.exec(paused.stderr)?.[1] ?? '';
  mock.respondWith(() => TYPED);
  const { code, stdout } = await fathom('resume', id);
  expect(code).toBe(0);
  for (const digits of Object.values(PRINTED)) expect(stdout).toContain(digits);
});

test('an answer without a type, and the value of a session, have them', async () => {
  mock.respondWith(() => '```python\nFINAL([2**60+1])\n```');
  expect((await fathom('ask', 'Q', '-m', 'openai/gpt-5-mini')).stdout).toBe(`[${DIGITS}]\n`);
  expect(JSON.parse((await fathom('ask', 'Q', '--json', '-m', 'openai/gpt-5-mini')).stdout)).toMatchObject({
    ...{ answer: `[${DIGITS}]`, text: `[${DIGITS}]` },
  });
  const session = (await fathom('session', 'create')).stdout.trim();
  expect((await fathom('session', 'exec', session, '{"id": 2**60+1}')).stdout).toContain(DIGITS);
  await fathom('session', 'close', session);
});
