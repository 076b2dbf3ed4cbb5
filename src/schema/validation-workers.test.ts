import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { jsonSchema } from './json-schema-answer.ts';
import { SCHEMA_CHECK_MS } from './limits.ts';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('./json-schema-answer.ts', import.meta.url));

/** The messages for a value; empty when it fits. */
async function issues(schema: Readonly<Record<string, unknown>>, value: unknown): Promise<readonly string[]> {
  const result = await jsonSchema(schema)['~standard'].validate(value);
  return result.issues?.map(({ message }) => message) ?? [];
}

/** Turns of the event loop while `work` is under way. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 5);
  await work.catch(() => undefined);
  clearInterval(timer);
  return turns;
}

const FOREVER = { pattern: '^(a+)+$' };
const LONG = `${'a'.repeat(60)}!`;

describe('validation in a worker thread', () => {
  it('accepts values that fit, and reports the issues of others', async () => {
    expect(await issues({ type: 'integer' }, 1)).toEqual([]);
    expect(await issues({ type: 'integer' }, 'x')).toHaveLength(1);
    expect(await issues({ $ref: '#/$defs/n', $defs: { n: { type: 'string' } } }, 1)).toHaveLength(1);
  });

  it.each([
    ['a pattern that backtracks', FOREVER, LONG],
    ['another one, of a property name', { patternProperties: { '^(x+x+)+y$': {} } }, { ['x'.repeat(40)]: 1 }],
    [
      'items that are compared each with each',
      { uniqueItems: true },
      Array.from({ length: 60_000 }, (_, at) => ({ at })),
    ],
  ])(
    'lets the event loop run beside %s, and says which limit it hit',
    async (_what, schema, value) => {
      const checked = Promise.resolve(jsonSchema(schema)['~standard'].validate(value));
      expect(await turnsDuring(checked)).toBeGreaterThan(50);
      await expect(checked).rejects.toThrow(/longer than \d+ ms, the limit for one check/);
    },
    60_000,
  );

  it('checks other values meanwhile, and afterwards', async () => {
    const slow = jsonSchema({ ...FOREVER, title: 'slow' })['~standard'].validate(LONG) as Promise<unknown>;
    const failed = slow.catch((error: Error) => error.message);
    expect(await issues({ type: 'string' }, 1)).toHaveLength(1);
    expect(await failed).toMatch(/longer than/);
    expect(await issues({ type: 'string' }, 'x')).toEqual([]);
  }, 60_000);

  it('takes a result that came while the host was busy for longer than the limit', async () => {
    expect(await issues({ type: 'string', title: 'warm' }, 'x')).toEqual([]);
    const checked = issues({ type: 'string', title: 'busy' }, 1);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SCHEMA_CHECK_MS + 300);
    expect(await checked).toHaveLength(1);
  }, 30_000);

  it('serves more callers than it has threads', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, (_, at) => issues({ maximum: 24 }, at)));
    expect(all.filter((found) => found.length === 0)).toHaveLength(25);
  });

  it('gives a schema that was too slow half the time in its next check', async () => {
    const schema = jsonSchema({ ...FOREVER, title: 'twice' })['~standard'];
    const limit = async (): Promise<number> => {
      const message = await Promise.resolve(schema.validate(LONG)).catch((error: Error) => error.message);
      return Number(/longer than (\d+) ms/.exec(String(message))?.[1]);
    };
    const first = await limit();
    expect(await limit()).toBe(first / 2);
  }, 60_000);

  it('keeps a process alive while it checks, but not while it is idle', async () => {
    const code = `import { jsonSchema } from ${JSON.stringify(SOURCE)};
      jsonSchema({ type: 'string' })['~standard'].validate(1).then(({ issues }) => console.log(issues.length));`;
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code];
    const { stdout } = await run(process.execPath, args, { timeout: 25_000 });
    expect(stdout).toBe('1\n');
  }, 30_000);
});
