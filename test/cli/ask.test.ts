/** `fathom ask` as a user runs it: a process, its streams, its exit code. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type MockProvider, type MockReply, type MockRequest, startMockProvider } from '../mock-provider/index.ts';
import { runFathom } from './run-fathom.ts';

const ESCAPE = '\u001b';
let folder = '';
let mock: MockProvider;

/** How many replies of its own the model has been shown. */
const turnOf = ({ messages }: MockRequest): number => messages.filter(({ role }) => role === 'assistant').length;
/** The engine asks for the best answer now. */
const isLastCall = ({ prompt }: MockRequest): boolean => prompt.includes('The run ends here');
const cell = (code: string): string => `\`\`\`python\n${code}\n\`\`\``;
const playing = (...replies: readonly MockReply[]): void =>
  mock.respondWith((request) => replies[Math.min(turnOf(request), replies.length - 1)] ?? 'FINAL("end")');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-cli-'));
  mkdirSync(join(folder, 'docs'));
  writeFileSync(join(folder, 'docs', 'a.txt'), 'alpha');
  writeFileSync(join(folder, 'docs', 'b.txt'), 'beta beta');
  mock = await startMockProvider({ respond: () => 'FINAL("end")' });
});

afterEach(() => playing('FINAL("end")'));

afterAll(async () => {
  await mock.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (args: readonly string[], options: Parameters<typeof runFathom>[1] = {}) =>
  runFathom(['ask', ...args], { cwd: folder, ...options, env: { ...mock.env, ...options.env } });

describe('answers', () => {
  test('the answer is on standard output, everything else on standard error, without escape sequences', async () => {
    playing(cell('n = len(context)\nprint(n)'), 'FINAL_VAR(n)');
    const { code, stdout, stderr } = await ask(['How long?', '-f', 'docs/b.txt', '-m', 'openai/gpt-5-mini']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '9\n' });
    expect(stderr).toContain('turn 1/30 done');
    expect(stderr).toMatch(/converged \(final-var\) · 2 turns .* \$0\.\d+/);
    expect(stdout + stderr).not.toContain(ESCAPE);
  });

  test('quiet says nothing but the answer', async () => {
    playing(cell('FINAL(len(context))'));
    const outcome = await ask(['How long?', '-q', '-f', 'docs/a.txt', '-m', 'openai/gpt-5-mini']);
    expect(outcome).toMatchObject({ code: 0, stdout: '5\n', stderr: '' });
  });

  test('--json prints one object', async () => {
    playing(cell('r = llm_query("hi")\nFINAL({"r": r, "n": 2})'));
    mock.respondWith(({ prompt }) => (prompt === 'hi' ? 'ho' : cell('r = llm_query("hi")\nFINAL({"r": r, "n": 2})')));
    const { code, stdout } = await ask(['Q', '--json', '-m', 'openai/gpt-5-mini']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'converged',
      stop: 'final',
      text: '{"r": "ho", "n": 2}',
      turns: 1,
      subCalls: 1,
      usage: { calls: 2, estimated: 0 },
    });
    expect(stdout.trimEnd()).not.toContain('\n');
  });

  test('sub-calls are limited in number, and refused ones are reported and not counted', async () => {
    const code = cell('rs = llm_query_batched(["a", "b", "c"])\nFINAL([r.ok for r in rs])');
    mock.respondWith(({ prompt }) => (prompt.length === 1 ? 'ok' : code));
    const limits = ['--max-sub-calls', '2', '--max-concurrent-calls', '1'];
    const { stdout, stderr } = await ask(['Q', ...limits, '-m', 'openai/gpt-5-mini']);
    expect(stdout).toBe('[true, true, false]\n');
    expect(stderr).toContain('! limit reached: No sub-call is left: 2 of 2 sub-calls (--max-sub-calls)');
    expect(stderr).toContain('so far 2 sub-calls');
  });

  test('FATHOM_MODEL names the model, a server by its URL', async () => {
    playing(cell('FINAL("from " + context)'));
    const env = { FATHOM_MODEL: `${mock.url}/v1#any` };
    const { code, stdout, stderr } = await ask(['Q', '-f', 'docs/a.txt'], { env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'from alpha\n' });
    expect(stderr).toContain('no limit on money');
    expect(mock.calls.at(-1)?.request.model).toBe('any');
  });

  test.each([
    ['prose', 'done'],
    ['code', cell('print(1)')],
    ['JSON of another shape', '```json\n{"m": 1}\n```'],
    ['a final answer that does not fit', 'FINAL("twelve")'],
  ])('with --schema nothing that does not fit is printed: %s', async (_, last) => {
    playing(cell('x = 1'), last);
    writeFileSync(
      join(folder, 'number.json'),
      JSON.stringify({ type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }),
    );
    const args = ['Q', '--schema', 'number.json', '--max-turns', '1', '-m', 'openai/gpt-5-mini'];
    expect(await ask(args)).toMatchObject({ code: 3, stdout: '' });
    playing(cell('x = 1'), 'FINAL({"n": 12})');
    expect(await ask(args)).toMatchObject({ code: 3, stdout: '{\n  "n": 12\n}\n' });
  });

  test('a last reply that is only code is not printed as the answer', async () => {
    playing(cell('x = 1'), cell('print(x)'));
    expect(await ask(['Q', '--max-turns', '1', '-m', 'openai/gpt-5-mini'])).toMatchObject({ code: 3, stdout: '' });
  });

  test('--schema types the answer, which is printed as JSON', async () => {
    writeFileSync(
      join(folder, 'schema.json'),
      JSON.stringify({ type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }),
    );
    playing(cell('FINAL({"n": "many"})'), cell('FINAL({"n": 4})'));
    const { code, stdout } = await ask(['Q', '--schema', 'schema.json', '-m', 'openai/gpt-5-mini']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ n: 4 });
  });

  test('a recorded run is played back without its provider', async () => {
    playing(cell('print(context)'), cell('FINAL(llm_query("x" + context))'));
    const recorded = await ask(['Q', '-q', '-f', 'docs/a.txt', '-m', 'record:run.jsonl:openai/gpt-5-mini']);
    playing({ fault: 'status', status: 500 });
    const played = await ask(['Q', '-q', '-f', 'docs/a.txt', '-m', 'replay:run.jsonl']);
    expect(recorded.code).toBe(0);
    expect(played).toEqual(recorded);
  });
});

describe('context', () => {
  test('standard input, byte for byte', async () => {
    playing(cell('FINAL(repr(context))'));
    const input = "a\r\nb\u0000c \"quoted'''";
    const { stdout } = await ask(['Q', '-f', '-', '-m', 'openai/gpt-5-mini'], { input });
    expect(stdout).toBe(`'a\\r\\nb\\x00c "quoted\\'\\'\\''\n`);
  });

  test('a folder and a pattern are documents', async () => {
    playing(cell('FINAL([(d.path, len(d.text)) for d in context])'));
    for (const path of ['docs', 'docs/*.txt']) {
      const { stdout } = await ask(['Q', '-f', path, '-m', 'openai/gpt-5-mini']);
      expect(JSON.parse(stdout)).toEqual([
        ['docs/a.txt', 5],
        ['docs/b.txt', 9],
      ]);
    }
  });
});

describe('limits and failures', () => {
  test('no turn left: the best answer, exit code 3', async () => {
    mock.respondWith((request) => (isLastCall(request) ? 'FINAL("so far")' : cell('x = 1')));
    const { code, stdout, stderr } = await ask([
      'Q',
      '-f',
      'docs/a.txt',
      '--max-turns',
      '1',
      '-m',
      'openai/gpt-5-mini',
    ]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: 'so far\n' });
    expect(stderr).toContain('exhausted (max-turns)');
  });

  test('no money left: exit code 4, and nothing was sent that could cost more', async () => {
    const { code, stderr } = await ask(['Q', '--max-cost', '0.00001', '-m', 'openai/gpt-5-mini']);
    expect(code).toBe(4);
    expect(stderr).toContain('cost-limit');
    expect(stderr).not.toContain('    at ');
  });

  test('the provider fails: exit code 1, one line with the code', async () => {
    mock.respondWith(() => ({ fault: 'status', status: 400, error: { message: `bad ${ESCAPE}[2J request` } }));
    const { code, stdout, stderr } = await ask(['Q', '-q', '-m', 'openai/gpt-5-mini']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^fathom: .*\[bad-request\]\n$/);
    expect(stderr).not.toContain(ESCAPE);
  });

  test('a failed run is JSON too, with what was used', async () => {
    mock.respondWith((request) => (turnOf(request) === 0 ? cell('x = 1') : { fault: 'status', status: 400 }));
    const { code, stdout } = await ask(['Q', '-q', '--json', '-m', 'openai/gpt-5-mini']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'failed',
      answer: null,
      turns: 1,
      error: { code: 'bad-request', userAction: false },
    });
  });

  const wrong: readonly {
    name: string;
    args: readonly string[];
    code: number;
    says: string;
    env?: Record<string, string>;
  }[] = [
    { name: 'no model', args: ['Q'], code: 2, says: 'FATHOM_MODEL' },
    { name: 'an unknown option', args: ['Q', '--colour'], code: 2, says: '--colour' },
    { name: 'a number that is a word', args: ['Q', '--max-turns', 'many'], code: 2, says: 'whole number' },
    {
      name: 'a limit out of range',
      args: ['Q', '--max-turns', '0', '-m', 'openai/gpt-5'],
      code: 2,
      says: '[invalid-limit]',
    },
    {
      name: 'a schema that is not there',
      args: ['Q', '--schema', 'none.json', '-m', 'openai/gpt-5'],
      code: 2,
      says: 'none.json',
    },
    {
      name: 'a trace that cannot be',
      args: ['Q', '--trace', 'no/such/folder/t', '-m', 'openai/gpt-5'],
      code: 2,
      says: 'no/such/folder/t',
    },
    {
      name: 'a missing key',
      args: ['Q', '-m', 'openai/gpt-5'],
      code: 5,
      says: 'OPENAI_API_KEY',
      env: { OPENAI_API_KEY: '' },
    },
    {
      name: 'no time at all',
      args: ['Q', '--timeout', '0', '-m', 'openai/gpt-5'],
      code: 2,
      says: 'The option --timeout = 0',
    },
    { name: 'a word after -f', args: ['-f', 'docs/a.txt', 'Q'], code: 2, says: 'The question is missing' },
    { name: 'an unknown provider', args: ['Q', '-m', 'unknown/gpt'], code: 5, says: '[model-not-found]' },
    {
      name: 'a server without a model',
      args: ['Q', '-m', 'http://127.0.0.1:8000/v1'],
      code: 5,
      says: 'base-url#model',
    },
    {
      name: 'a URL as context',
      args: ['Q', '-f', 'https://example.com/a', '-m', 'openai/gpt-5'],
      code: 5,
      says: 'nothing is fetched',
    },
    {
      name: 'a file that is not there',
      args: ['Q', '-f', 'none.txt', '-m', 'openai/gpt-5'],
      code: 5,
      says: 'none.txt',
    },
    {
      name: 'money limited without a price',
      args: ['Q', '--max-cost', '1', '-m', 'http://127.0.0.1:9/v1#x'],
      code: 5,
      says: "--price 'openai-compatible/x=IN,OUT'",
    },
    {
      name: 'isolation that no backend has',
      args: ['Q', '--isolation', 'vm', '-m', 'openai/gpt-5'],
      code: 5,
      says: '[isolation-unavailable]',
    },
  ];
  test.each(wrong)('$name: exit code $code, no stack', async ({ args, code, says, env }) => {
    const calls = mock.calls.length;
    const outcome = await ask(args, env === undefined ? {} : { env });
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(outcome.stderr).toContain(says);
    // Earlier lines (a notice, the beginning of the run) stay; then one line of one form, without a sum of nothing.
    expect(outcome.stderr).toMatch(/(?:^|\n)fathom: .+ \[[a-z-]+\]\n$/);
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
    expect(mock.calls.length).toBe(calls);
  });
});

describe('what is written down', () => {
  test('--trace holds every event as JSON, for its owner only', async () => {
    playing(cell('print(1)'), 'FINAL("done")');
    await ask(['Q', '-q', '--trace', 'trace.jsonl', '-m', 'openai/gpt-5-mini']);
    const path = join(folder, 'trace.jsonl');
    const events = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    const types = events.map(({ type }) => type);
    expect(types).toContain('cell.output');
    expect(types.filter((type) => type === 'run.completed')).toHaveLength(1);
    expect(types.at(-1)).toBe('run.completed');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('what a model writes cannot steer the terminal, and is not touched on its way into a pipe', async () => {
    playing(`I am ${ESCAPE}[31mred${ESCAPE}[0m\n${cell(`FINAL("${ESCAPE}[1mbold")`)}`);
    const { stdout, stderr } = await ask(['Q', '-v', '-m', 'openai/gpt-5-mini']);
    expect(stderr).toContain('I am \\x1b[31mred');
    expect(stderr).not.toContain(ESCAPE);
    expect(stdout).toBe(`${ESCAPE}[1mbold\n`);
  });
});

describe('Ctrl-C', () => {
  /** Sends the signal once a call is in flight. */
  const interruptIn = (reply: string, signals: readonly NodeJS.Signals[]) => {
    let sent = 0;
    return (stderr: string, child: { kill(signal: NodeJS.Signals): boolean }): void => {
      const due = sent === 0 ? stderr.includes(reply) : stderr.includes('Ctrl-C again');
      if (!due || sent >= signals.length) return;
      child.kill(signals[sent] ?? 'SIGINT');
      sent += 1;
    };
  };
  /** Turn 1 works, turn 2 never comes, a last call is answered. */
  const stuck = (request: MockRequest): MockReply => {
    if (isLastCall(request)) return 'FINAL_VAR(x)';
    return turnOf(request) === 0 ? cell('x = 41 + 1') : { fault: 'hang-before-headers' };
  };

  test('once: the best answer so far, exit code 3', async () => {
    mock.respondWith(stuck);
    const onStderr = interruptIn('turn 1/30 done', ['SIGINT']);
    const { code, stdout, stderr } = await ask(['Q', '-m', 'openai/gpt-5-mini'], { onStderr });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '42\n' });
    expect(stderr).toContain('finish-requested');
  });

  test('twice: stopped, exit code 130', async () => {
    mock.respondWith((request) => (turnOf(request) === 0 ? cell('x = 1') : { fault: 'hang-before-headers' }));
    const onStderr = interruptIn('turn 1/30 done', ['SIGINT', 'SIGINT']);
    const { code, stdout, stderr } = await ask(['Q', '-m', 'openai/gpt-5-mini'], { onStderr });
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toContain('fathom: stopped.');
    expect(stderr).toContain('aborted (cancelled) · 1 turn');
  });

  test('SIGTERM: stopped, exit code 143', async () => {
    mock.respondWith((request) => (turnOf(request) === 0 ? cell('x = 1') : { fault: 'hang-before-headers' }));
    const onStderr = interruptIn('turn 1/30 done', ['SIGTERM']);
    const { code, signal } = await ask(['Q', '-m', 'openai/gpt-5-mini'], { onStderr });
    expect({ code, signal }).toEqual({ code: 143, signal: null });
  });
});
