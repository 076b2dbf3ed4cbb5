/** Shows the sub-calls of a run with their prompts and replies. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sqliteStore } from '../../src/index.ts';
import { readRunLogs } from '../../src/resume/run-logs.ts';
import { cell, commandBench, hanging } from './command-bench.ts';

const bench = commandBench();
const PASSAGE = `The ${'very '.repeat(400)}end of the passage`;

interface Call {
  readonly [name: string]: unknown;
}

async function callsIn(...args: readonly string[]): Promise<readonly Call[]> {
  const { stdout } = await bench.fathom(['runs', 'show', 'last', '--json', ...args]);
  const { tree } = JSON.parse(stdout) as { tree: { turns: { commands: { calls: Call[] }[] }[] } };
  return tree.turns.flatMap(({ commands }) => commands.flatMap(({ calls }) => calls));
}

/** Whether a call with this prompt has been sent and has no reply. */
async function inFlight(folder: string, prompt: string): Promise<boolean> {
  const trace = join(folder, 'trace');
  if (!existsSync(trace) || readFileSync(trace, 'utf8').split('subcall.started').length < 3) return false;
  const store = sqliteStore(join(folder, '.fathom'), { readOnly: true });
  try {
    const [run] = await store.runs.list();
    const { calls } = run === undefined ? { calls: [] } : await readRunLogs(store, run.id);
    return calls.some(({ asked, attempts }) => asked?.messages[0]?.content === prompt && attempts === 1);
  } finally {
    await store.close();
  }
}

describe('runs show --calls', () => {
  test('shows each prompt and reply by its cell; --full and --json --full have all of them', async () => {
    const root = bench.script('root.json', [
      cell(`a = llm_query("Which passage? ${PASSAGE}", system="Be short")\nb = llm_query_batched(["one?", "two?"])`),
      cell('FINAL(a)'),
    ]);
    const sub = bench.script('sub.json', ['the \u001b[31m first\none', 'uno', 'dos']);
    expect((await bench.fathom(['ask', 'Q', '-m', root, '--sub-model', sub])).code).toBe(0);

    const { stdout } = await bench.fathom(['runs', 'show', 'last', '--calls']);
    const lines = stdout.slice(stdout.indexOf('CELL')).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^CELL +MODEL +IN +OUT +COST +TIME +TRIES$/);
    expect(lines[1]).toMatch(/^t1\.0 +scripted:sub\.json +\d+ +\d+ +\$0 +\d+ ms +1$/);
    expect(lines[2]).toMatch(/^ {2}→ \[system\] Be short \[user\] Which passage\? The very .*… \(\d{4} characters\)$/);
    expect(lines[3]).toBe('  ← the \\x1b[31m first one');
    expect(lines.filter((line) => /^ {2}[→←]/.test(line)).slice(2)).toEqual([
      ...['  → one?', '  ← uno', '  → two?', '  ← dos'],
    ]);
    const whole = await bench.fathom(['runs', 'show', 'last', '--calls', '--full']);
    expect(whole.stdout).toContain(`[user] Which passage? ${PASSAGE}\n`);
    expect(whole.stdout).toContain('  ← the \\x1b[31m first\n    one\n');

    const [first] = await callsIn();
    expect(first).toMatchObject({ kind: 'llm', ok: true, attempts: 1, reply: 'the \u001b[31m first\none' });
    expect(first?.messages).toMatchObject([{}, { role: 'user', contentChars: PASSAGE.length + 15 }]);
    expect(await callsIn('--full')).toMatchObject([
      { messages: [{ role: 'system', content: 'Be short' }, { content: `Which passage? ${PASSAGE}` }] },
      { messages: [{ role: 'user', content: 'one?' }], reply: 'uno', inputTokens: expect.any(Number), costUsd: 0 },
      { messages: [{ role: 'user', content: 'two?' }], reply: 'dos' },
    ]);
  });

  test('shows children with their calls, and calls that failed with the reason', async () => {
    const root = bench.script('root.json', [
      cell('r = rlm_query("inner?", "12345")'),
      cell('for model in ("none/such", None):\n  try: llm_query("x", model=model)\n  except Exception as e: print(e)'),
      cell('FINAL(r)'),
    ]);
    const fault = { fault: 'content-filter', text: '' };
    const sub = bench.script('sub.json', [cell('x = llm_query("deep?")'), 'deep', cell('FINAL(x)'), fault]);
    expect((await bench.fathom(['ask', 'Q', '-m', root, '--sub-model', sub, '--max-depth', '2'])).stdout).toBe(
      'deep\n',
    );
    const { stdout } = await bench.fathom(['runs', 'show', 'last', '--calls']);
    expect(stdout).toMatch(
      /^t1\.0 .* child\n {2}→ inner\?\n {2}← deep\n {2}└ run \w{26}\nt1\.0>t1\.0 .*\n {2}→ deep\?\n {2}← deep$/m,
    );
    expect(stdout).toMatch(/^t2\.0 .* failed\n(?: {2}→ x\n)? {2}✗ .* \[model-not-(?:found|allowed)\]$/m);
    expect(stdout).toMatch(/^t2\.0 .* failed\n {2}→ x\n {2}✗ .*\]$/m);
  });

  test('has the prompt of a call that was in flight at a kill -9, and one row for it after the resume', async () => {
    const models = [
      ...['-m', bench.script('root.json', [cell('a = llm_query("first?")'), cell('b = llm_query("second?")')])],
      ...['--sub-model', bench.script('sub.json', ['eins', hanging('never')])],
    ];
    let victim: ChildProcess | undefined;
    const asked = bench.fathom(['ask', 'Q', '--trace', 'trace', ...models], {
      onStart: (child) => {
        victim = child;
      },
    });
    while (!(await inFlight(bench.folder, 'second?'))) {
      await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 50))]);
    }
    victim?.kill('SIGKILL');
    expect((await asked).signal).toBe('SIGKILL');
    expect(await callsIn('--full')).toMatchObject([
      { messages: [{ content: 'first?' }], reply: 'eins', ok: true },
      { messages: [{ content: 'second?' }], reply: '', ok: null, durationMs: null, attempts: 1 },
    ]);
    expect((await bench.fathom(['runs', 'show', 'last', '--calls'])).stdout).toMatch(/not ended\n {2}→ second\?/);
    bench.script('root.json', [cell('FINAL(a + b)')]);
    bench.script('sub.json', ['zwei']);
    expect((await bench.fathom(['resume', 'last'])).stdout).toBe('einszwei\n');
    expect(await callsIn('--full')).toMatchObject([
      { messages: [{ content: 'first?' }], reply: 'eins', attempts: 1 },
      { messages: [{ content: 'second?' }], reply: 'zwei', attempts: 2 },
    ]);
  });
});
