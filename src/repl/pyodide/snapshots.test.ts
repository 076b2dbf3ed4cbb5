import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Repl } from '../port.ts';
import type { PyodideBackend } from './backend.ts';
import { openTestRepl, testBackend } from './testing.ts';

/** Every change comes up at least six times; `npm run soak` has 1 000 rounds. */
const ROUNDS = Number(process.env.FATHOM_ROLLBACKS ?? 60);

/** State of every kind: data, classes, generators, closures, open files, pipes, deleted files, the working directory. */
const BUILD = `
import os, random, collections, sqlite3
data = {i: [str(i)] * 3 for i in range(2000)}
class Point:
    count = 0
    def __init__(self, x): self.x = x; Point.count += 1
    def __repr__(self): return f"Point({self.x})"
points = [Point(i) for i in range(5)]
def counter():
    n = 0
    while True:
        n += 1
        yield n
ticks = counter(); next(ticks); next(ticks)
held = (lambda secret: lambda: secret)("closure")
os.makedirs("/tmp/work/deep", exist_ok=True)
os.chdir("/tmp/work")
with open("notes.txt", "w") as f: f.write("first\\n")
os.symlink("notes.txt", "alias")
log = open("log.txt", "w+"); log.write("line 1\\n"); log.flush()
gone = open("gone.txt", "w+"); gone.write("still here"); gone.flush(); os.unlink("gone.txt")
reader, writer = os.pipe(); os.write(writer, b"in the pipe")
copy = os.dup(log.fileno())
os.makedirs("__proto__/constructor")
with open("__proto__/constructor/__proto__", "w") as f: f.write("odd")
base = sqlite3.connect("data.db"); base.execute("create table t(a)"); base.execute("insert into t values(1)"); base.commit()
None
`;

/** Everything of it, as one value. Reads must not change it: file positions are put back. */
const LOOK = `
def _look():
    log.seek(0); text = log.read()
    gone.seek(0); lost = gone.read()
    return (
        len(data), data.get(7), repr(points), Point.count, ticks.gi_frame.f_locals["n"], held(),
        sorted(os.listdir(".")), open("alias").read(), open("__proto__/constructor/__proto__").read(), text, lost, os.getcwd(), os.path.exists("/tmp/extra"),
        base.execute("select sum(a), count(*) from t").fetchone(), sorted(k for k in globals() if k.startswith("new")),
    )
_look()
`;

/** Changes of every kind; each cycle others. */
const change = (cycle: number): string =>
  `
data[${cycle}] = "changed"; data.pop(${(cycle * 7) % 2000}, None)
points.append(Point(${cycle})); Point.count += 10
Point.extra${cycle} = lambda self: ${cycle}
class New${cycle}(Point): pass
new${cycle} = New${cycle}(${cycle})
for _ in range(${cycle % 5}): next(ticks)
log.write("line ${cycle}\\n" * ${1 + (cycle % 4)}); log.flush()
with open("notes.txt", "a") as f: f.write("more ${cycle}\\n")
open("/tmp/extra", "w").write("x" * ${cycle * 100})
os.makedirs("deep/${cycle}", exist_ok=True); os.chdir("deep/${cycle}")
big = bytearray(${(cycle % 10) * 1_000_000})
gone.write("overwritten"); os.read(reader, 3); os.close(copy)
base.execute("insert into t values(${cycle})"); base.commit()
import ${['colorsys', 'sndhdr', 'wave', 'plistlib', 'netrc'][cycle % 5]} if False else textwrap
`.replace(/import .* else textwrap/, `import ${['colorsys', 'wave', 'plistlib', 'netrc', 'mailbox'][cycle % 5]}`);

describe('snapshots', () => {
  let backend: PyodideBackend;
  let repl: Repl;
  beforeAll(async () => {
    backend = testBackend({ most: 'process' });
    repl = await openTestRepl(backend);
  });
  afterAll(() => backend.close());

  const value = async (code: string): Promise<string> => {
    const outcome = await repl.execute({ code, handle: 'e1' });
    expect(outcome.error).toBeNull();
    return outcome.value ?? '';
  };

  test(`${ROUNDS} rounds of changes and rollbacks are exact: heap, classes, generators, open files`, async () => {
    await value(BUILD);
    const before = await value(LOOK);
    await repl.snapshot('base');
    for (let cycle = 0; cycle < ROUNDS; cycle += 1) {
      const outcome = await repl.execute({ code: change(cycle), handle: 'e2' });
      expect(outcome.error).toBeNull();
      await repl.rollback('base');
      if (cycle % 20 === 0 || cycle === ROUNDS - 1) expect(await value(LOOK)).toBe(before);
    }
    expect(await value('os.read(reader, 100)')).toBe("b'in the pipe'");
  }, 600_000);

  test('a killed process comes back exactly as it was before the cell, open files and named snapshots included', async () => {
    await repl.rollback('base');
    const before = await value(LOOK);
    for (const death of ['os._exit(1)', 'os.abort()', 'sum(range(10**12))']) {
      const code = `${change(3)}\n${death}`;
      const outcome = await repl.execute({ code, handle: 'e3', timeoutMs: 3_000 });
      const lost = 'variables and files are as they were before this cell';
      expect(outcome.restarted?.lost, outcome.error?.traceback).toBe(lost);
      expect(await value(LOOK)).toBe(before);
    }
    await value(change(5));
    await repl.rollback('base');
    expect(await value(LOOK)).toBe(before);
    expect((await repl.snapshots()).map(({ name }) => name)).toEqual(['base']);
  }, 60_000);

  test('as many files as a folder may hold come back in seconds', async () => {
    const full = await openTestRepl(backend);
    const code = 'import os\nfor i in range(40_000): open(f"/tmp/{i}", "w").close()';
    expect((await full.execute({ code, handle: 'e1' })).error).toBeNull();
    const startedAt = performance.now();
    await full.execute({ code: 'os._exit(1)', handle: 'e2' });
    expect(performance.now() - startedAt).toBeLessThan(20_000); // 150 s when each file was looked for among all
    expect((await full.execute({ code: 'len(os.listdir("/tmp"))', handle: 'e3' })).value).toBe('40000');
    await full.close();
  }, 60_000);

  test('snapshots that are deleted give their place back', async () => {
    const small = await openTestRepl(backend);
    const fill = (letter: string) => `x = bytearray(b"${letter}" * 60_000_000)`;
    for (const letter of 'abcdefgh') {
      expect((await small.execute({ code: fill(letter), handle: 'e1' })).error).toBeNull();
      const { bytes } = await small.snapshot(letter);
      expect(bytes).toBeGreaterThan(50_000_000);
      await small.deleteSnapshot(letter);
    }
    await small.close();
  }, 60_000);

  test.each([
    ['a limit of the run', {}, { snapshotBytes: 64 * 1024 * 1024 }],
    ['an option of the backend', { snapshotBytes: 64 * 1024 * 1024 }, {}],
    ['the smaller of both', { snapshotBytes: 64 * 1024 * 1024 }, { snapshotBytes: Number.POSITIVE_INFINITY }],
  ])(
    '%s bounds them, and a snapshot that does not fit is refused',
    async (_name, option, limits) => {
      const tight = testBackend({ most: 'process', spares: 0, ...option });
      const other = await openTestRepl(tight, limits);
      await other.execute({ code: 'x = 1', handle: 'e1' });
      await other.snapshot('small');
      await other.execute({ code: 'y = bytearray(b"y" * 100_000_000)', handle: 'e2' });
      await expect(other.snapshot('large')).rejects.toMatchObject({
        code: 'snapshot-limit',
        message: expect.stringContaining('snapshotBytes'),
      });
      const crashed = await other.execute({ code: 'import os\nos._exit(1)', handle: 'e3' });
      expect(crashed.restarted?.lost).toMatch(/before an earlier cell: .*snapshotBytes/);
      expect((await other.execute({ code: 'x, "y" in globals()', handle: 'e4' })).value).toBe('(1, False)');
      // The control: without a bound that is hit, the same snapshot is taken.
      const wide = await openTestRepl(backend);
      await wide.execute({ code: 'y = bytearray(b"y" * 100_000_000)', handle: 'e2' });
      expect((await wide.snapshot('large')).bytes).toBeGreaterThan(90_000_000);
      await Promise.all([tight.close(), wide.close()]);
    },
    60_000,
  );

  test('contexts are not stored: they come from where they came from', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fathom-context-'));
    const path = join(folder, 'context.txt');
    const text = 'naïve 漢字 😀 text\n'.repeat(300_000);
    writeFileSync(path, text);
    const context = {
      kind: 'file',
      path,
      bytes: Buffer.byteLength(text),
      encoding: 'utf-8',
      skip: 0,
      as: 'text',
    } as const;
    const other = await openTestRepl(backend);
    await other.bind({ values: { context, second: { kind: 'text', text: text.slice(0, 900_000) } } });
    const look = 'len(context), context.count("漢"), context[::100_003], len(second), second[-5:]';
    const before = (await other.execute({ code: look, handle: 'e1' })).value;
    expect(before).toContain(String([...text].length));
    const { bytes } = await other.snapshot('with');
    // 19 MB of text as Python keeps it, which are not in it.
    expect(bytes).toBeLessThan(12_000_000);
    const crashed = await other.execute({ code: 'import os\nos._exit(1)', handle: 'e2' });
    expect(crashed.restarted?.lost).toBe('variables and files are as they were before this cell');
    expect((await other.execute({ code: look, handle: 'e3' })).value).toBe(before);
    await other.rollback('with');
    expect((await other.execute({ code: look, handle: 'e4' })).value).toBe(before);
    await other.close();
    rmSync(folder, { recursive: true });
  }, 60_000);

  test('a rollback behind a context and forward again', async () => {
    const other = await openTestRepl(backend);
    await other.execute({ code: 'x = 1', handle: 'e1' });
    await other.snapshot('before');
    await other.bind({ values: { late: { kind: 'text', text: 'late text '.repeat(500_000) } } });
    await other.snapshot('after');
    await other.rollback('before');
    // Values that the host bound since then are bound again.
    expect((await other.execute({ code: 'len(late), late[:9]', handle: 'e2' })).value).toBe("(5000000, 'late text')");
    await other.execute({ code: 'filler = [bytearray(b"z" * 1_000_000) for _ in range(40)]', handle: 'e3' });
    await other.rollback('after');
    expect((await other.execute({ code: 'late.count("late"), "filler" in globals()', handle: 'e4' })).value).toBe(
      '(500000, False)',
    );
    await other.execute({ code: 'import os\nos._exit(1)', handle: 'e5' });
    expect((await other.execute({ code: 'late.count("late")', handle: 'e6' })).value).toBe('500000');
    await other.close();
  }, 60_000);
});
