import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CellOutcome, Repl } from '../port.ts';
import type { PyodideBackend } from './backend.ts';
import { openTestRepl, testBackend } from './testing.ts';

/** Cells whose end the host never sees, or cannot read. The state before them is a good one, that after them is not. */
const LOST: readonly (readonly [name: string, code: string])[] = [
  ['another file in the place of the channel', 'import os\nos.dup2(os.open("/dev/null", os.O_RDWR), 3)'],
  ['an ordinary file there', 'import os\nos.dup2(os.open("/tmp/sink", os.O_CREAT | os.O_RDWR), 3)'],
  ['a pipe there', 'import os\nos.dup2(os.pipe()[1], 3)'],
  ['the other device there', 'import os\nos.dup2(4, 3)'],
  ['a guest that sends no results any more', 'history._channel.result = lambda *a: None'],
  ['a result of another command', 'c = history._channel\nc.send(2, 4_000_000, {"ok": True, "variables": []})'],
  [
    'a result that cannot be read',
    'c = history._channel\nc.result = lambda *a: None\nc.send(2, c.command_id, {"ok": True, "variables": {"length": 3}})',
  ],
  [
    'a result with a part that is not there',
    'c = history._channel\nc.result = lambda *a: None\nc.send(2, c.command_id, {"ok": True, "value": True, "variables": []})',
  ],
];

describe('a cell whose end the host never saw', () => {
  let backend: PyodideBackend;
  let repl: Repl;
  beforeAll(async () => {
    backend = testBackend({ most: 'process' });
    repl = await openTestRepl(backend, { cellTimeoutMs: 60_000 });
  });
  afterAll(() => backend.close());

  const run = (code: string): Promise<CellOutcome> => repl.execute({ code, handle: 'e1' });

  test.each(LOST)('costs a restart with the state before it, and not its whole time: %s', async (_name, code) => {
    await run('kept = 1');
    const lost = await run(`spoiled = 1\n${code}`);
    expect(lost).toMatchObject({ ok: false, timedOut: false });
    expect(lost.error?.type).toMatch(/ReplCrashed|ChannelViolation/);
    expect(lost.restarted?.lost).toBe('variables and files are as they were before this cell');
    expect(lost.durationMs).toBeLessThan(30_000);
    expect((await run('kept, "spoiled" in globals()')).value).toBe('(1, False)');
    expect((await run('1 + 1')).value).toBe('2');
  });

  test('is distinguished from one whose descriptor is back in time, and from one that closed it for good', async () => {
    const back = 'import os\nsaved = os.dup(3)\nos.dup2(os.open("/dev/null", os.O_RDWR), 3)\nos.dup2(saved, 3)\n"back"';
    expect(await run(back)).toMatchObject({ ok: true, value: "'back'" });
    expect((await run('saved > 3')).value).toBe('True');
    expect((await run('import os\nos.close(3)')).restarted).toBeDefined();
    expect((await run('saved > 3')).value).toBe('True');
  });

  test('does not take the snapshot of a later cell with it: what was understood is what a kill goes back to', async () => {
    await run('kept = 2');
    await run('raise ValueError("an error is an end")');
    await run('kept = 3');
    expect((await run('import os\nos._exit(1)')).restarted).toBeDefined();
    expect((await run('kept')).value).toBe('3');
  });
});
