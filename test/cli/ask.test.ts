/** `fathom ask` as a user runs it: a process, its streams, its exit code. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask, cell, folder, isLastCall, mock, playing, turnOf } from './ask-harness.ts';

const ESCAPE = '\u001b';

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
