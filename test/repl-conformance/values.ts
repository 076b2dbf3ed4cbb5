import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { magicKind } from '../../src/context/file-kinds.ts';
import type { FileValue, HistoryRead, JsonValue, ProjectionRead } from '../../src/repl/port.ts';
import type { Bench } from './bench.ts';

/** Values bound from outside: contexts, files, documents, projections, history, tools. */
export function describeValues(bench: () => Bench): void {
  describe('bound values', () => {
    test('text is byte-exact: line ends, NUL, quotes, lone surrogates', async () => {
      const text = '\ufeffa\r\nb\rc\n\0"\'\\ \'\'\'""" é 😀 \ud800 \udc00x\ud83d\u2028"';
      await bench().repl.bind({ values: { context: { kind: 'text', text } } });
      const expected = JSON.stringify([...text].map((character) => character.codePointAt(0)));
      expect(await bench().value(`[ord(c) for c in context] == ${expected}`)).toBe('True');
    });

    test('JSON is parsed by Python: exact integers, order, duplicates of no harm', async () => {
      const json = '{"b": 123456789012345678901234567890, "a": [1.0, 1e3, null, true], "__proto__": "x"}';
      await bench().repl.bind({ values: { context: { kind: 'json', json } } });
      expect(await bench().value('context')).toBe(
        "{'b': 123456789012345678901234567890, 'a': [1.0, 1000.0, None, True], '__proto__': 'x'}",
      );
    });

    test('several named contexts: each by name, context a read-only mapping of them', async () => {
      await bench().repl.bind({
        values: {
          a: { kind: 'text', text: 'first' },
          b: { kind: 'json', json: '[2]' },
          context: { kind: 'mapping', names: ['a', 'b'] },
        },
      });
      expect(await bench().value('a, b, dict(context), context["b"] is b')).toBe(
        "('first', [2], {'a': 'first', 'b': [2]}, True)",
      );
      expect((await bench().failure('context["c"] = 1')).type).toBe('TypeError');
    });

    test('none is None', async () => {
      await bench().repl.bind({ values: { context: { kind: 'none' } } });
      expect(await bench().value('context')).toBeNull();
    });

    test('stay when others are bound later', async () => {
      await bench().repl.bind({ values: { seed: { kind: 'json', json: '{"k": 1}' } } });
      await bench().repl.bind({ values: { context_1: { kind: 'text', text: 'one' } } });
      expect(await bench().value('seed, context_1')).toBe("({'k': 1}, 'one')");
    });

    test('a text of 20 MB arrives whole', async () => {
      const text = 'line é\n'.repeat(2_500_000);
      await bench().repl.bind({ values: { context: { kind: 'text', text } } });
      expect(await bench().value('len(context), context.count("\\n"), context[-7:]')).toBe(
        "(17500000, 2500000, 'line é\\n')",
      );
    });
  });

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

  describe('history', () => {
    const items = ['t1', 't2', 't3', 't4'].map((id) => ({ id, kind: 'turn', text: `text of ${id}` }));
    const read = (it: HistoryRead): JsonValue => {
      if (it.op === 'length') return items.length;
      if (it.op === 'items') return items.slice(it.start, it.stop);
      if (it.id === 't1.0') return 'the full output';
      return items.find((item) => item.id === it.id) ?? null;
    };

    test('is a read-only sequence: len, truth, iteration, indices, slices, reversed', async () => {
      bench().host.onHistory = read;
      expect(await bench().value('len(history), bool(history), [i["id"] for i in history]')).toBe(
        "(4, True, ['t1', 't2', 't3', 't4'])",
      );
      expect(await bench().value('history[0]["id"], history[-1]["id"], [i["id"] for i in history[1:3]]')).toBe(
        "('t1', 't4', ['t2', 't3'])",
      );
      expect(await bench().value('[i["id"] for i in history[::-2]], [i["id"] for i in reversed(history)]')).toBe(
        "(['t4', 't2'], ['t4', 't3', 't2', 't1'])",
      );
      expect((await bench().failure('history[4]')).type).toBe('IndexError');
      expect((await bench().failure('history[0] = 1')).type).toBe('TypeError');
    });

    test('takes stable ids, and says no to others', async () => {
      bench().host.onHistory = read;
      expect(await bench().value('history["t1.0"], history["t2"]["text"]')).toBe("('the full output', 'text of t2')");
      expect((await bench().failure('history["0"]')).type).toBe('KeyError');
    });

    test('knows what is in it, by item and by id', async () => {
      bench().host.onHistory = read;
      expect(await bench().value('"t3" in history, "t9" in history, history[1] in history, {} in history')).toBe(
        '(True, False, True, False)',
      );
    });

    test('is empty at first', async () => {
      expect(await bench().value('len(history), bool(history), list(history)')).toBe('(0, False, [])');
    });
  });

  describe('projections', () => {
    const text = `${'alpha beta 😀 '.repeat(20_000)}needle-42 end`;
    const characters = [...text];
    const rows = Array.from({ length: 500 }, (_, index) => ({ id: index, name: `row ${index}` }));

    function serve(reads: ProjectionRead[]): void {
      bench().host.onProjection = (read) => {
        reads.push(read);
        if (read.id === 'rows')
          return read.op === 'length' ? rows.length : read.op === 'slice' ? rows.slice(read.start, read.stop) : null;
        if (read.id === 'map') return read.op === 'keys' ? ['x', 'y'] : read.op === 'get' ? { of: read.key } : null;
        return read.op === 'length'
          ? characters.length
          : read.op === 'slice'
            ? characters.slice(read.start, read.stop).join('')
            : null;
      };
    }

    test('of text: code points, slices, in, peek, search, chunk', async () => {
      const reads: ProjectionRead[] = [];
      serve(reads);
      await bench().repl.bind({
        values: { context: { kind: 'projection', id: 'text', shape: 'text', size: characters.length } },
      });
      expect(await bench().value('len(context), context[11], context[-3:], context.peek(0, 5)')).toBe(
        `(${characters.length}, '😀', 'end', 'alpha')`,
      );
      expect(reads.every((read) => read.op !== 'slice' || read.stop - read.start <= 5)).toBe(true);
      expect(await bench().value('"needle-42" in context, "absent" in context')).toBe('(True, False)');
      const hit = await bench().value(
        'h = context.search(r"needle-(\\d+)")[0]\nh["match"], h["start"], h["end"], "needle" in h["snippet"]',
      );
      expect(hit).toBe(`('needle-42', ${characters.length - 13}, ${characters.length - 4}, True)`);
      const chunks =
        'c = context.chunk(50_000, overlap=100)\n"".join(x["text"][100 if x["index"] else 0:] for x in c) == context[:], c[1]["start"]';
      expect(await bench().value(chunks)).toBe('(True, 49900)');
      expect(await bench().value('len(context.search("alpha", max_hits=7))')).toBe('7');
    });

    test('of text are searched across the pages they are read in', async () => {
      const long = `${'x'.repeat(1024 * 1024 - 3)} needle 😀 ${'y'.repeat(100)}`;
      const points = [...long];
      bench().host.onProjection = (read) => (read.op === 'slice' ? points.slice(read.start, read.stop).join('') : null);
      await bench().repl.bind({
        values: { context: { kind: 'projection', id: 'long', shape: 'text', size: points.length } },
      });
      const at = points.length - 100 - 9;
      expect(await bench().value('[(h["start"], h["match"]) for h in context.search("needle")]')).toBe(
        `[(${at}, 'needle')]`,
      );
      expect(await bench().value('context.search("^."), context.search(r"\\A.")')).toContain("'start': 0");
      expect(
        await bench().value('len(context.search("^.")), len(context.search("(?<!x)[y]", 5)), context.search("z*", 0)'),
      ).toBe('(1, 5, [])');
      expect(await bench().value('context.search("needle")[0]["snippet"][:80] == "x" * 79 + " "')).toBe('True');
    });

    test('of text are searched for texts as a str is, in pages', async () => {
      const long = `${'ab😀'.repeat(600_000)}needle`;
      const points = [...long];
      const reads: ProjectionRead[] = [];
      bench().host.onProjection = (read) => {
        reads.push(read);
        return read.op === 'slice' ? points.slice(read.start, read.stop).join('') : null;
      };
      await bench().repl.bind({
        values: { context: { kind: 'projection', id: 'long', shape: 'text', size: points.length } },
      });
      const code = [
        's = str(context)',
        'asked = [("needle",), ("ab",), ("b😀a",), ("zz",), ("",), ("ab", 1), ("ab", -10, -1), ("needle", 0, 9)]',
        '[name for name in ("find", "count") for a in asked if getattr(context, name)(*a) != getattr(s, name)(*a)]',
      ].join('\n');
      expect(await bench().value(code)).toBe('[]');
      expect(await bench().value('context.index("needle") == s.index("needle")')).toBe('True');
      expect((await bench().failure('context.index("zz")')).type).toBe('ValueError');
      expect(reads.length).toBeLessThan(100);
    });

    test('of lists: a full sequence, searched by item', async () => {
      serve([]);
      await bench().repl.bind({
        values: { context: { kind: 'projection', id: 'rows', shape: 'list', size: rows.length } },
      });
      expect(
        await bench().value(
          'len(context), context[3]["name"], context[-1]["id"], len(context[10:20]), sum(1 for _ in context)',
        ),
      ).toBe("(500, 'row 3', 499, 10, 500)");
      expect(
        await bench().value('context.index({"id": 7, "name": "row 7"}), context.count({"id": 7, "name": "row 7"})'),
      ).toBe('(7, 1)');
      expect(await bench().value('[(h["index"], h["match"]) for h in context.search("row 49\\\\d")][:2]')).toBe(
        "[(490, 'row 490'), (491, 'row 491')]",
      );
      expect((await bench().failure('context[500]')).type).toBe('IndexError');
      expect((await bench().failure('context.index(99)')).type).toBe('ValueError');
      expect(await bench().value('[r["id"] for r in reversed(context)] == [*range(499, -1, -1)]')).toBe('True');
    });

    test('leave the REPL as what they stand for: in answers, and as contexts of children', async () => {
      serve([]);
      bench().host.onCall = (call) => (call.kind === 'rlm' ? JSON.stringify(call.context) : 'flat');
      await bench().repl.bind({
        values: {
          rows: { kind: 'projection', id: 'rows', shape: 'list', size: 2 },
          entries: { kind: 'projection', id: 'map', shape: 'mapping' },
          context: { kind: 'mapping', names: ['rows', 'entries'] },
        },
      });
      const listed = [rows[0], rows[1]];
      const mapped = { x: { of: 'x' }, y: { of: 'y' } };
      const answered = async (code: string): Promise<unknown> =>
        JSON.parse((await bench().run(code)).answer?.json ?? '');
      expect(await answered('FINAL(rows)')).toEqual(listed);
      expect(await answered('FINAL_VAR("entries")')).toEqual(mapped);
      expect(await answered('FINAL(context)')).toEqual({ rows: listed, entries: mapped });
      expect(await bench().value('rlm_query("q", rows).count("row 1")')).toBe('1');
    });

    test('of mappings: keys and values on demand', async () => {
      const reads: ProjectionRead[] = [];
      serve(reads);
      await bench().repl.bind({ values: { context: { kind: 'projection', id: 'map', shape: 'mapping' } } });
      expect(await bench().value('list(context), context["y"], "z" in context, context.get("z")')).toBe(
        "(['x', 'y'], {'of': 'y'}, False, None)",
      );
      expect(reads.filter((read) => read.op === 'get')).toHaveLength(1);
    });

    test('map_query and reduce_query ask about pieces', async () => {
      serve([]);
      await bench().repl.bind({
        values: { context: { kind: 'projection', id: 'text', shape: 'text', size: characters.length } },
      });
      const code =
        'c = context.chunk(200_000)\nr = context.map_query("Say:", c)\n[len(r), r[0].ok, context.reduce_query("All:", ["a", "b"])]';
      expect(await bench().value(code)).toBe("[2, True, 'echo: All:\\n\\na\\n\\nb']");
      const asked = bench().host.calls.length;
      for (const wrong of ['map_query("Say:", "a text")', 'reduce_query("All:", context)', 'map_query(5, ["a"])'])
        expect((await bench().failure(`context.${wrong}`)).type).toBe('TypeError');
      expect(bench().host.calls).toHaveLength(asked);
    });
  });

  describe('tools', () => {
    test('take keywords or positions in schema order and give JSON', async () => {
      await bench().repl.bind({ tools: [{ name: 'look_up', description: 'Looks up.', parameters: ['key', 'deep'] }] });
      expect(await bench().value('look_up("k", deep=(1, 2))')).toBe(
        "{'name': 'look_up', 'args': {'key': 'k', 'deep': [1, 2]}}",
      );
      expect(await bench().value('look_up.__name__, look_up.__doc__')).toBe("('look_up', 'Looks up.')");
      for (const code of ['look_up(1, 2, 3)', 'look_up(1, key=2)', 'look_up({1, 2})']) {
        expect((await bench().failure(code)).type).toBe('TypeError');
      }
    });

    test('raise with the type and message of the host', async () => {
      bench().host.onTool = () => {
        throw new RangeError('out of range');
      };
      const { type, message } = await bench().failure('look_up("k")');
      expect([type, message]).toEqual(['RangeError', 'out of range']);
      bench().host.onTool = () => {
        throw Object.assign(new Error('not there'), { name: 'FileNotFoundError' });
      };
      expect(await bench().value('try: look_up("k")\nexcept FileNotFoundError as e: seen = str(e)\nseen')).toBe(
        "'not there'",
      );
    });

    test('are protected and may be passed around', async () => {
      await bench().run('look_up = None');
      expect(await bench().value('list(map(look_up, "a"))[0]["args"]')).toBe("{'key': 'a'}");
    });
  });
}
