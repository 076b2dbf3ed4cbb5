import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ContextFile, Repl } from '../../src/repl/port.ts';
import type { Bench } from './bench.ts';

const HANDLE = 't1.0';

/** Files of contexts that cells and bash open, and cannot change. */
export function describeContextFiles(bench: () => Bench): void {
  describe('files of contexts', () => defineContextFiles(bench));
}

function defineContextFiles(bench: () => Bench): void {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fathom-shown-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function file(at: string, content: string | Buffer): ContextFile {
    const path = join(folder, at);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
    return { at, file: { path, bytes: Buffer.byteLength(content) } };
  }

  async function opened(files: readonly ContextFile[]): Promise<Repl> {
    const repl = await bench().open();
    await repl.bind({ files });
    return repl;
  }

  const value = async (repl: Repl, code: string): Promise<string | null> => {
    const outcome = await repl.execute({ code, handle: HANDLE });
    expect(outcome.error).toBeNull();
    return outcome.value;
  };
  const bash = async (repl: Repl, command: string): Promise<string> => {
    const { stdout, stderr } = await repl.bash({ command, handle: HANDLE });
    return stdout.text + stderr.text;
  };
  const shows = (): boolean => bench().capabilities.isolated;

  test('open() reads their bytes, bash finds them, and the file system lists them', async (context) => {
    if (!shows()) return context.skip('this backend has no folder of its own');
    const repl = await opened([
      file('src/a.txt', 'one\nneedle\n'),
      file('src/deep/er/b.txt', 'needle too\n'),
      file('ü ö.bin', Buffer.from([0, 255, 254, 10, 0])),
      file('empty.txt', ''),
      file('abs/var/log/x.log', 'absolute\n'),
    ]);
    expect(await value(repl, 'open("context/src/a.txt").read()')).toBe(String.raw`'one\nneedle\n'`);
    expect(await value(repl, 'open("context/ü ö.bin", "rb").read()')).toBe(String.raw`b'\x00\xff\xfe\n\x00'`);
    expect(await value(repl, 'f = open("context/src/a.txt"); f.seek(4); f.read()')).toBe(String.raw`'needle\n'`);
    expect(
      await value(repl, 'import os; os.path.getsize("context/empty.txt"), os.stat("context/src/a.txt").st_size'),
    ).toBe('(0, 11)');
    expect(await value(repl, 'sorted(os.path.join(d, n) for d, _, names in os.walk("context") for n in names)')).toBe(
      "['context/abs/var/log/x.log', 'context/empty.txt', 'context/src/a.txt', 'context/src/deep/er/b.txt', 'context/ü ö.bin']",
    );
    if (!bench().capabilities.bash) return;
    expect((await bash(repl, 'grep -r needle context | sort')).split('\n').slice(0, 2)).toEqual([
      'context/src/a.txt:needle',
      'context/src/deep/er/b.txt:needle too',
    ]);
    expect(await bash(repl, 'cat context/abs/var/log/x.log; wc -l < context/src/a.txt; ls context/src')).toMatch(
      /^absolute\n\s*2\na.txt\ndeep\n$/,
    );
  });

  test('a larger one is read in any order', async (context) => {
    if (!shows()) return context.skip('this backend has no folder of its own');
    const bytes = Buffer.alloc(3_000_000);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 31 + (at >> 8)) & 255;
    const repl = await opened([file('small', 'x'), file('large.bin', bytes), file('after', 'y')]);
    const at = 2_345_678;
    const code = `
with open("context/large.bin", "rb") as f:
    f.seek(${at}); middle = f.read(5); f.seek(-3, 2); end = f.read(); f.seek(0); whole = f.read()
list(middle), list(end), len(whole), sum(whole), open("context/after").read()`;
    const sum = bytes.reduce((all, byte) => all + byte, 0);
    const [middle, end] = [bytes.subarray(at, at + 5), bytes.subarray(-3)].map((part) => `[${[...part].join(', ')}]`);
    expect(await value(repl, code)).toBe(`(${middle}, ${end}, ${bytes.length}, ${sum}, 'y')`);
  });

  const CHANGES = [
    'open("context/a.txt", "w")',
    'open("context/a.txt", "r+b").write(b"x")',
    'open("context/new.txt", "x")',
    'open("context/a.txt", "a").write("x")',
    'os.truncate("context/a.txt", 0)',
    'os.remove("context/a.txt")',
    'os.rename("context/a.txt", "context/b.txt")',
    'os.rename("context/a.txt", "a.txt")',
    'os.replace("mine.txt", "context/a.txt")',
    'os.chmod("context/a.txt", 0o666)',
    'os.chmod("context", 0o777)',
    'os.utime("context/a.txt", (1, 1))',
    'os.mkdir("context/inner")',
    'os.symlink("/tmp", "context/link")',
    'os.link("mine.txt", "context/hard")',
    'os.rmdir("context/sub")',
  ];
  test('nothing changes them, their names or their metadata', async (context) => {
    if (!shows()) return context.skip('this backend has no folder of its own');
    const repl = await opened([file('a.txt', 'as it was'), file('sub/b.txt', 'b')]);
    const tries = `
import os
state = lambda: [(d, sorted(f), [(os.stat(os.path.join(d, n)).st_mode, os.stat(os.path.join(d, n)).st_size, os.stat(os.path.join(d, n)).st_mtime) for n in sorted(f)]) for d, _, f in os.walk("context")]
open("mine.txt", "w").write("mine")
before, went = state(), []
for code in ${JSON.stringify(CHANGES)}:
    try: eval(code); went.append(code)
    except OSError: pass
    except AttributeError: assert not hasattr(os, "link")
went, state() == before, open("context/a.txt").read()`;
    expect(await value(repl, tries)).toBe("([], True, 'as it was')");
    // The control: the same steps work in a folder of the cell's own.
    const own = CHANGES.filter((code) => !/rename|remove|symlink|link|rmdir|"x"/.test(code));
    const control = `
os.makedirs("own/sub"); open("own/a.txt", "w").write("own"); done = 0
for code in ${JSON.stringify(own)}: eval(code.replace("context", "own")); done += 1
done`;
    expect(await value(repl, control)).toBe(String(own.length));
    if (!bench().capabilities.bash) return;
    await bash(
      repl,
      'echo x > context/a.txt; rm -rf context/sub; touch context/t; mv context/a.txt .; chmod 777 context/a.txt',
    );
    expect(await bash(repl, 'cat context/a.txt context/sub/b.txt; ls context')).toBe('as it wasba.txt\nsub\n');
  });

  test('they stay after a rollback, a kill and a rollback behind the binding; no snapshot has them', async (context) => {
    if (!bench().capabilities.snapshots) return context.skip('this backend has no snapshots');
    const large = 'x'.repeat(8 * 1024 * 1024);
    const repl = await bench().open();
    await value(repl, 'import os; open("mine.txt", "w").write("mine"); kept = 1');
    const before = await repl.snapshot('before');
    await repl.bind({ files: [file('a.txt', 'needle'), file('large.txt', large)] });
    const reads = 'open("context/a.txt").read(), os.path.getsize("context/large.txt")';
    const all = `('needle', ${large.length})`;
    expect(await value(repl, reads)).toBe(all);
    await value(repl, 'held = open("context/a.txt"); held.read(3)');
    const after = await repl.snapshot('after');
    expect(after.bytes - before.bytes).toBeLessThan(large.length / 2);
    await value(repl, 'kept = 2');
    await repl.rollback('after');
    expect(await value(repl, `kept, held.read(), ${reads}`)).toBe(`(1, 'dle', 'needle', ${large.length})`);
    const killed = await repl.execute({ code: 'import os\nos._exit(3)', handle: HANDLE });
    expect(killed.restarted).toBeDefined();
    expect(await value(repl, reads)).toBe(all);
    await repl.rollback('before');
    expect(await value(repl, `${reads}, open("mine.txt").read()`)).toBe(`('needle', ${large.length}, 'mine')`);
  });

  test('more are added later; one of the same path is replaced; they take nothing of diskBytes', async (context) => {
    if (!shows()) return context.skip('this backend has no folder of its own');
    const repl = await bench().open({ diskBytes: 4 * 1024 * 1024 });
    await repl.bind({ files: [file('a.txt', 'first'), file('big.txt', 'x'.repeat(6 * 1024 * 1024))] });
    await repl.bind({ files: [file('a.txt', 'second'), file('b/c.txt', 'third')] });
    expect(
      await value(
        repl,
        '[open(f"context/{n}").read() for n in ("a.txt", "b/c.txt")], open("own", "w").write("y" * 2**20)',
      ),
    ).toBe("(['second', 'third'], 1048576)");
  });

  test('a missing file, a folder, a changed and a replaced file are refused by name', async (context) => {
    if (!shows()) return context.skip('this backend has no folder of its own');
    const repl = await bench().open();
    const changed = file('changed.txt', 'before');
    writeFileSync(changed.file.path, 'before and after');
    for (const [one, code] of [
      [{ at: 'x', file: { path: join(folder, 'missing'), bytes: 1 } }, 'context-not-found'],
      [{ at: 'x', file: { path: folder, bytes: 1 } }, 'context-invalid'],
      [changed, 'context-invalid'],
      [{ at: 'x', file: { ...file('other.txt', 'x').file, identity: '1:1' } }, 'context-invalid'],
    ] as const) {
      const message = expect.stringContaining(one.file.path);
      await expect(repl.bind({ files: [one] })).rejects.toMatchObject({ code, message });
    }
    await value(repl, 'open("context", "w").write("in the way")');
    const late = await bench().open();
    await late.execute({ code: 'open("context", "w").write("in the way")', handle: HANDLE });
    await expect(late.bind({ files: [file('a.txt', 'a')] })).rejects.toMatchObject({
      code: 'context-invalid',
      message: expect.stringMatching(/context.*is taken/),
    });
  });
}
