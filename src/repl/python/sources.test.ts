/** Contexts by descriptor: files and texts, exact, shared, refused in words. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LIMITS, testHost } from '../../../test/repl-conformance/bench.ts';
import type { FileValue, Repl } from '../port.ts';
import { type PythonBackend, pythonBackend } from './backend.ts';
import { describeWithPython } from './testing.ts';

await describeWithPython('contexts of the python backend', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-sources-'));
  const host = testHost();
  let backend: PythonBackend;
  const open = (): Promise<Repl> => backend.open({ limits: LIMITS, host, least: 'namespace' });
  const run = (repl: Repl, code: string) => repl.execute({ code, handle: 't1.0' });

  function file(name: string, data: Buffer, more: Partial<FileValue> = {}): FileValue {
    const path = join(folder, name);
    writeFileSync(path, data);
    return { kind: 'file', path, bytes: data.length, encoding: 'utf-8', skip: 0, as: 'text', ...more };
  }

  beforeAll(() => {
    backend = pythonBackend();
  });
  afterAll(async () => {
    await backend.close();
    rmSync(folder, { recursive: true });
  });

  test.each([0, 1 << 20, 300 << 20])(
    'the file system of context files has room for contextFileBytes %i',
    async (bytes) => {
      const repl = await backend.open({ limits: { ...LIMITS, contextFileBytes: bytes }, host, least: 'namespace' });
      const path = join(folder, 'shown.txt');
      writeFileSync(path, 'shown');
      await repl.bind({ files: [{ at: 'shown.txt', file: { path, bytes: 5 } }] });
      const outcome = await run(repl, 'import os\ns = os.statvfs("context"); s.f_blocks * s.f_frsize');
      expect(outcome.value).toBe(String(bytes + (32 << 20)));
      await repl.close();
    },
  );

  test.each([
    ['ASCII', 'plain text, line 1\n'],
    ['Latin-1', 'größer als Ærøskøbing\n'],
    ['two bytes per character', 'naïve — 日本語 русский\n'],
    ['four bytes per character', 'emoji 😀 and 𝔘nicode\n'],
  ])('of any kind arrive exactly, from a file and from memory: %s', async (name, line) => {
    const repl = await open();
    // Also exact multiples of the page size: the end of the text is then the end of a page.
    for (const length of [60_000, 65_536]) {
      const text = line.repeat(length);
      await repl.bind({
        values: { a: file(`${name}-${length}`, Buffer.from(text)), b: { kind: 'text', text } },
      });
      const code = `line = ${JSON.stringify(line)}\n[v == line * ${length} and hash(v) == hash(line * ${length}) and v[-9:] + "." == line[-9:] + "." and v.count(line) == ${length} for v in (a, b)]`;
      expect((await run(repl, code)).value).toBe('[True, True]');
    }
    await repl.close();
  });

  test('in other encodings, with a byte-order mark, and with invalid bytes', async () => {
    const repl = await open();
    const text = 'größer — 😀\n'.repeat(120_000);
    const big = Buffer.from(text, 'utf16le');
    await repl.bind({
      values: {
        le: file('le', Buffer.concat([Buffer.from([0xff, 0xfe]), big]), { encoding: 'utf-16le', skip: 2 }),
        be: file('be', Buffer.from(big).swap16(), { encoding: 'utf-16be' }),
        latin: file('latin', Buffer.alloc(2_000_000, 0xe9), { encoding: 'windows-1252' }),
        broken: file('broken', Buffer.concat([Buffer.alloc(1_500_000, 97), Buffer.from([0xff, 0xfe, 98])])),
        numbers: file('numbers', Buffer.from(JSON.stringify({ n: [1, 2.5], s: 'ä'.repeat(1_000_000) })), {
          as: 'json',
        }),
        empty: file('empty', Buffer.alloc(0)),
        lone: { kind: 'text', text: `${'x'.repeat(1_200_000)}\ud800` },
      },
    });
    const code = `t = "größer — 😀\\n" * 120_000\n[le == t, be == t, latin == "é" * 2_000_000, broken == "a" * 1_500_000 + "\\ufffd\\ufffdb", numbers["n"] == [1, 2.5] and len(numbers["s"]) == 1_000_000, empty == "", lone[-1] == "\\ud800"]`;
    expect((await run(repl, code)).value).toBe('[True, True, True, True, True, True, True]');
    await repl.close();
  });

  test('stay what they were when a cell tries to change them, for every REPL that shares them', async () => {
    const text = 'shared by all\n'.repeat(200_000);
    const value = file('shared', Buffer.from(text));
    const repls = [await open(), await open()];
    for (const repl of repls) await repl.bind({ values: { context: value } });
    const attack = 'import ctypes\nctypes.memmove(id(context) + 4096, b"owned", 5)';
    const { ok } = await run(repls[0] as Repl, attack);
    expect(ok).toBe(false);
    for (const repl of repls)
      expect((await run(repl, 'context[:13], len(context)')).value).toBe(`('shared by all', ${text.length})`);
    const held = 'sum(int(l.split()[1]) for l in open("/proc/self/smaps_rollup") if l.startswith("Private")) < 12_000';
    expect((await run(repls[1] as Repl, held)).value).toBe('True');
    for (const repl of repls) await repl.close();
  });

  test('survive rollbacks and kills', async () => {
    const repl = await open();
    await repl.bind({ values: { context: file('kept', Buffer.from('0123456789'.repeat(200_000))) } });
    await run(repl, 'piece = context[5:15]');
    await repl.snapshot('s');
    await run(repl, 'import os; os._exit(1)');
    expect((await run(repl, 'len(context), piece')).value).toBe("(2000000, '5678901234')");
    await repl.rollback('s');
    expect((await run(repl, 'context.count("9")')).value).toBe('200000');
    await repl.close();
  });

  test('that are missing, have changed, or are not files are refused in words', async () => {
    const repl = await open();
    const small = file('small', Buffer.from('abc'));
    const large = file('large', Buffer.alloc(2_000_000, 97));
    const bind = (value: FileValue) => repl.bind({ values: { context: value } });
    await expect(bind({ ...small, path: join(folder, 'nothing') })).rejects.toMatchObject({
      code: 'context-not-found',
    });
    await expect(bind({ ...large, path: join(folder, 'nothing') })).rejects.toMatchObject({
      code: 'context-not-found',
    });
    await expect(bind({ ...small, bytes: 5 })).rejects.toThrow(/had 5 bytes when it was looked at and has 3 now/);
    await expect(bind({ ...large, bytes: 3_000_000 })).rejects.toMatchObject({ code: 'context-invalid' });
    await expect(bind({ ...small, path: folder })).rejects.toThrow(/not a regular file/);
    expect((await run(repl, '1 + 1')).value).toBe('2');
    await repl.close();
  });

  test('that were replaced after they were checked are refused', async () => {
    const repl = await open();
    for (const value of [file('a', Buffer.from('abc')), file('b', Buffer.alloc(2_000_000, 97))]) {
      const { dev, ino } = statSync(value.path, { bigint: true });
      const bind = (identity: string) => repl.bind({ values: { context: { ...value, identity } } });
      await expect(bind(`${dev}:${ino + 1n}`)).rejects.toThrow(/another file has taken its place/);
      await bind(`${dev}:${ino}`);
    }
    await repl.close();
  });
});
