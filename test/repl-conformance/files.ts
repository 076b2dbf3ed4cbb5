import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { magicKind } from '../../src/context/file-kinds.ts';
import type { FileValue } from '../../src/repl/port.ts';
import type { Bench } from './bench.ts';

/** Files as context: text, JSON and bytes, whatever is in them. */
export function describeFiles(bench: () => Bench): void {
  describe('files', () => {
    let folder = '';
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'fathom-conformance-'));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    async function file(name: string, bytes: Buffer, more: Partial<FileValue> = {}): Promise<FileValue> {
      const path = join(folder, name);
      await writeFile(path, bytes);
      return { kind: 'file', path, bytes: bytes.length, encoding: 'utf-8', skip: 0, as: 'text', ...more };
    }

    test('arrive byte-exact in every encoding', async () => {
      const text = 'a\r\nb\0 é 😀 end"';
      const values = {
        utf8: await file('u8', Buffer.from(text)),
        bom: await file('bom', Buffer.from(`\ufeff${text}`), { skip: 3 }),
        le: await file('le', Buffer.from(text, 'utf16le'), { encoding: 'utf-16le' }),
        be: await file('be', Buffer.from(text, 'utf16le').swap16(), { encoding: 'utf-16be' }),
        latin: await file('latin', Buffer.from('a\r\né\x80', 'latin1'), { encoding: 'windows-1252' }),
        empty: await file('empty', Buffer.alloc(0)),
      };
      await bench().repl.bind({ values });
      const expected = JSON.stringify([...text].map((character) => character.codePointAt(0)));
      expect(await bench().value(`[[ord(c) for c in t] == ${expected} for t in (utf8, bom, le, be)]`)).toBe(
        '[True, True, True, True]',
      );
      expect(await bench().value('latin, empty')).toBe("('a\\r\\né€', '')");
    });

    test('in legacy encodings arrive as the host decodes them', async () => {
      const values = {
        japanese: await file('sjis', Buffer.from('93fa967b8cea41', 'hex'), { encoding: 'shift_jis' }),
        chinese: await file('gb', Buffer.from('d5c5ceb02c8130813081358130', 'hex'), { encoding: 'gb18030' }),
        escapes: await file('jis', Buffer.from('\x1b$B4A;z\x1b(B end', 'latin1'), { encoding: 'iso-2022-jp' }),
        russian: await file('koi', Buffer.from('f0f2e9f7e5f4', 'hex'), { encoding: 'koi8-r', as: 'text' }),
        number: await file('n', Buffer.from('{"caf\xe9": 1}', 'latin1'), { encoding: 'windows-1252', as: 'json' }),
      };
      await bench().repl.bind({ values });
      expect(await bench().value('japanese, escapes, russian, number')).toBe(
        "('日本語A', '漢字 end', 'ПРИВЕТ', {'café': 1})",
      );
      const decoded = new TextDecoder('gb18030').decode(Buffer.from('d5c5ceb02c8130813081358130', 'hex'));
      const points = [...decoded].map((character) => character.codePointAt(0));
      expect(JSON.parse((await bench().value('[ord(c) for c in chinese]')) ?? 'null')).toEqual(points);
    });

    test('with bytes that are not text of their encoding hold U+FFFD, never lone surrogates', async () => {
      const broken = ['fe41', 'c341', 'e28241', 'f09f98', 'eda08041', '41c3'].map((hex) => Buffer.from(hex, 'hex'));
      const files = await Promise.all(broken.map((bytes, index) => file(`broken${index}`, bytes)));
      const half = await file('half', Buffer.from('003d41000020d800', 'hex'), { encoding: 'utf-16le' });
      const lone = Buffer.from([0x41, 0x00, 0x3d, 0xd8, 0x42, 0x00, 0x00, 0xdc]);
      const utf16 = await file('lone', lone, { encoding: 'utf-16le' });
      const values = Object.fromEntries(files.map((value, index) => [`b${index}`, value]));
      await bench().repl.bind({ values: { ...values, half, utf16 } });
      const decoder = new TextDecoder();
      const expected = broken.map((bytes) => decoder.decode(bytes));
      const names = broken.map((_, index) => `b${index}`).join(', ');
      const code = `[[ord(c) for c in t] for t in (${names}, utf16)]`;
      const points = (text: string): readonly number[] => [...text].map((character) => character.codePointAt(0) ?? 0);
      const all = [...expected, 'A\ufffdB\ufffd'].map(points);
      expect(JSON.parse((await bench().value(code)) ?? 'null')).toEqual(all);
      expect(await bench().value('any(0xd800 <= ord(c) < 0xe000 for c in half)')).toBe('False');
    });

    test('of binary kinds arrive as their bytes, alone and among documents', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const binary = { encoding: 'binary', as: 'bytes' } as const;
      const content = await file('all', bytes, binary);
      await bench().repl.bind({
        values: {
          blob: content,
          nothing: await file('none', Buffer.alloc(0), binary),
          docs: { kind: 'documents', documents: [{ path: 'a.bin', content }] },
        },
      });
      expect(await bench().value('blob == bytes(range(256)), nothing, docs["a.bin"].bytes == blob, docs[0].size')).toBe(
        "(True, b'', True, 256)",
      );
      const { error } = await bench().run('docs[0].text');
      expect(error?.message).toBe('a.bin is not text: use .bytes');
    });

    test('of kinds that Python opens open as the first message says', async () => {
      const path = join(folder, 'wal.db');
      const database = new DatabaseSync(path);
      database.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (n); INSERT INTO t VALUES (41), (42)');
      database.close();
      const bytes = await readFile(path);
      const { opens: openDatabase = '' } = magicKind(bytes, false) ?? {};
      await bench().repl.bind({ values: { wal: await file('copy.db', bytes, { encoding: 'binary', as: 'bytes' }) } });
      expect(bytes[18]).toBe(2);
      await bench().run(`import sqlite3\n${openDatabase.replaceAll('%', 'wal')}`);
      expect(await bench().value('db.execute("SELECT max(n) FROM t").fetchone()')).toBe('(42,)');
      const make = `
import bz2, gzip, io, lzma, tarfile, zipfile
archive, tar = io.BytesIO(), io.BytesIO()
with zipfile.ZipFile(archive, "w") as z: z.writestr("a.txt", "inside")
with tarfile.open(fileobj=tar, mode="w") as t: t.addfile(tarfile.TarInfo("a.txt"))
made = {"gz": gzip.compress(b"x"), "bz2": bz2.compress(b"x"), "xz": lzma.compress(b"x"), "zip": archive.getvalue(), "tar": tar.getvalue()}
{k: v[:600].hex() for k, v in made.items()}`;
      const made = JSON.parse(((await bench().value(make)) ?? '').replaceAll("'", '"')) as Record<string, string>;
      const recipes = Object.entries(made).map(([name, hex]) => {
        const { opens = '' } = magicKind(Buffer.from(hex, 'hex'), false) ?? {};
        return opens.replaceAll('%', `made["${name}"]`);
      });
      expect(recipes).not.toContain('');
      expect(
        await bench().value(`[getattr(v, "decode", lambda: type(v).__name__)() for v in (${recipes.join(', ')})]`),
      ).toBe("['x', 'x', 'x', 'ZipFile', 'TarFile']");
    });

    test('by the thousand arrive each as its own document, whatever their sizes and encodings', async () => {
      const kinds = [
        (n: number) => [Buffer.from(`text ${n} é😀`), 'utf-8'] as const,
        (n: number) => [Buffer.from(`caf\xe9 ${n}`, 'latin1'), 'windows-1252'] as const,
        (n: number) => [Buffer.from(`wide ${n}`, 'utf16le'), 'utf-16le'] as const,
        () => [Buffer.alloc(0), 'utf-8'] as const,
        (n: number) => [Buffer.from([n & 255, 0, 255]), 'binary'] as const,
      ];
      const documents = [];
      for (let n = 0; n < 1_500; n += 1) {
        const [bytes, encoding] = kinds[n % kinds.length]?.(n) ?? [Buffer.alloc(0), 'utf-8'];
        const as = encoding === 'binary' ? 'bytes' : 'text';
        documents.push({ path: `f/${n}`, content: await file(`many-${n}`, bytes, { encoding, as }) });
      }
      documents.splice(700, 0, { path: 'large', content: await file('large', Buffer.alloc(2_000_000, 'x')) });
      documents.push({ path: 'memory', content: { kind: 'text', text: 'in memory' } as const });
      await bench().repl.bind({ values: { docs: { kind: 'documents', documents } } });
      const code = `
def expected(n):
    return [f"text {n} é😀", f"café {n}", f"wide {n}", "", bytes([n & 255, 0, 255])][n % 5]
[d.path for n, d in enumerate(docs) if d.path.startswith("f/") and (d.bytes if isinstance(expected(int(d.path[2:])), bytes) else d.text) != expected(int(d.path[2:]))], len(docs), docs[700].size, docs[-1].text`;
      expect(await bench().value(code)).toBe("([], 1502, 2000000, 'in memory')");
    });

    test('that change after the look are refused, packed ones as well', async () => {
      const path = join(folder, 'changed');
      const content = await file('changed', Buffer.from('before'));
      await writeFile(path, 'longer than before');
      const documents = [{ path: 'changed', content }];
      await expect(bench().repl.bind({ values: { docs: { kind: 'documents', documents } } })).rejects.toMatchObject({
        code: 'context-invalid',
        data: { path },
      });
    });

    test('in UTF-16 arrive when they hold nothing beyond ASCII or Latin-1', async () => {
      const values = {
        ascii: await file('ascii16', Buffer.from('\ufeffplain', 'utf16le'), { encoding: 'utf-16le', skip: 2 }),
        latin: await file('latin16', Buffer.from('é', 'utf16le').swap16(), { encoding: 'utf-16be' }),
        parsed: await file('list16', Buffer.from('[1]', 'utf16le'), { encoding: 'utf-16le', as: 'json' }),
      };
      await bench().repl.bind({ values });
      expect(await bench().value('ascii, latin, parsed')).toBe("('plain', 'é', [1])");
    });

    test('of JSON are parsed exactly', async () => {
      const context = await file('json', Buffer.from('{"n": 12345678901234567890, "é": [1]}\n'), { as: 'json' });
      const large = await file('large.json', Buffer.from(`[1${'0'.repeat(5_000)}]`), { as: 'json' });
      await bench().repl.bind({ values: { context, large } });
      expect(await bench().value('context, large == [10**5000]')).toBe("({'n': 12345678901234567890, 'é': [1]}, True)");
    });

    test('of invalid JSON are refused', async () => {
      for (const text of ['', '{"a":']) {
        const context = await file('broken.json', Buffer.from(text), { as: 'json' });
        await expect(bench().repl.bind({ values: { context } })).rejects.toMatchObject({ code: 'context-invalid' });
      }
    });

    test('of JSON that nest deeper than Python reads are refused as well', async () => {
      const text = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
      const context = await file('deep.json', Buffer.from(text), { as: 'json' });
      const outcome = await bench()
        .repl.bind({ values: { context } })
        .then(
          () => 'read',
          (error: unknown) => (error as { readonly code?: unknown }).code,
        );
      // How deep that is depends on the build of Python.
      expect(['read', 'context-invalid']).toContain(outcome);
    });

    test('of 30 MB arrive whole', async () => {
      const context = await file('large', Buffer.alloc(30_000_000, 'abcdefghi\n'));
      await bench().repl.bind({ values: { context } });
      expect(await bench().value('len(context), context[:10], context[-10:]')).toBe(
        "(30000000, 'abcdefghi\\n', 'abcdefghi\\n')",
      );
    });

    test('are documents with attributes, by index and by path', async () => {
      const content = await file('doc.txt', Buffer.from('from a file'));
      const documents = [
        { path: 'docs/doc.txt', content },
        { path: 'b.md', content: { kind: 'text' as const, text: 'inline' } },
      ];
      await bench().repl.bind({ values: { context: { kind: 'documents', documents } } });
      const code = '[(d.path, d.name, d.text) for d in context], context["b.md"].text, len(context), "b.md" in context';
      expect(await bench().value(code)).toBe(
        "([('docs/doc.txt', 'doc.txt', 'from a file'), ('b.md', 'b.md', 'inline')], 'inline', 2, True)",
      );
      expect((await bench().failure('context["nope"]')).type).toBe('KeyError');
    });

    test('as documents leave the REPL with path and text', async () => {
      bench().host.onCall = (call) => (call.kind === 'rlm' ? JSON.stringify(call.context) : 'flat');
      const documents = ['a', 'b'].map((path) => ({ path, content: { kind: 'text' as const, text: `in ${path}` } }));
      await bench().repl.bind({ values: { context: { kind: 'documents', documents } } });
      const plain = documents.map(({ path }) => ({ path, text: `in ${path}` }));
      const answered = async (code: string): Promise<unknown> =>
        JSON.parse((await bench().run(code)).answer?.json ?? '');
      expect(await answered('FINAL(context)')).toEqual(plain);
      expect(await answered('FINAL([d for d in context if d.path == "b"])')).toEqual([plain[1]]);
      expect(await answered('FINAL(context[0])')).toEqual(plain[0]);
      expect(await bench().value('rlm_query("q", context[1:]).count("in b")')).toBe('1');
    });
  });
}
