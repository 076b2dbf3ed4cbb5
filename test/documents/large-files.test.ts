/**
 * Files that are larger than a REPL should hold, on each backend: text by character and line, CSV and JSON Lines by row, Parquet by
 * row group, folders document by document. The room for contexts is small here, so that small files are large.
 */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ContextRoom } from '../../src/context/index.ts';
import { type ContextSource, contextSource } from '../../src/context/input.ts';
import { createRlm, fromFile, fromFiles, type Session } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';
import { onEachBackend } from '../session/on-each-backend.ts';

vi.setConfig({ testTimeout: 120_000 });

/** A source for which there is so little room in the REPL. */
function crowded(source: ContextSource, bytes = 1_000): ContextSource {
  return contextSource(() => source.load(new ContextRoom(bytes)));
}

const LINES = Array.from({ length: 60_000 }, (_, index) => `${index}: Größe äß 😀 ${'x'.repeat(index % 50)}`);
const TEXT = `${LINES.join('\n')}\nno feed`;
const CSV_ROWS = 20_000;
const PARQUET_ROWS = 300_000;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-large-'));
  writeFileSync(join(folder, 'book.txt'), TEXT);
  const csv = Array.from(
    { length: CSV_ROWS },
    (_, id) => `${id};"name ""${id}""\nsecond line; ";${id / 4};${id % 2 === 0 ? 'true' : 'false'}`,
  );
  writeFileSync(join(folder, 'data.csv'), `\ufeffid;name;price;open\r\n${csv.join('\r\n')}\r\n\r\n`);
  const records = Array.from(
    { length: 30_000 },
    (_, id) => `{"id":${id},"big":1152921504606846977,"tag":"t${id % 7}"}`,
  );
  writeFileSync(join(folder, 'data.jsonl'), records.join('\n'));
  mkdirSync(join(folder, 'notes'));
  for (let at = 0; at < 40; at += 1)
    writeFileSync(join(folder, 'notes', `n${String(at).padStart(2, '0')}.txt`), `note ${at}\n`.repeat(500));
  const id = Array.from({ length: PARQUET_ROWS }, (_, at) => BigInt(at));
  const city = Array.from({ length: PARQUET_ROWS }, (_, at) => `city ${at % 11}`);
  const columns = Array.from({ length: 6 }, (_, at) => ({
    name: `v${at}`,
    data: id.map((value) => Number(value) / 2),
    type: 'DOUBLE' as const,
  }));
  const columnData = [{ name: 'id', data: id, type: 'INT64' as const }, { name: 'city', data: city }, ...columns];
  writeFileSync(join(folder, 'big.parquet'), Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize: 70_000 })));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

await onEachBackend(({ repl }) => {
  const rlm = createRlm({ model: scriptedModel([], { modelId: 'root' }), repl });
  afterAll(() => rlm.close());
  let session: Session | undefined;

  async function open(context: ContextSource): Promise<(code: string) => Promise<unknown>> {
    await session?.close();
    session = await rlm.createSession({ context });
    const opened = session;
    return async (code) => {
      const result = await opened.execute(`import json\njson.dumps(${code})`);
      if (!result.ok) throw new Error(`${code}: ${JSON.stringify(result.error)}`);
      return JSON.parse(
        JSON.parse(
          (result.value ?? '""').replace(/^'([\s\S]*)'$/, (_, inner: string) =>
            JSON.stringify(inner.replaceAll("\\'", "'").replaceAll('\\\\', '\\')),
          ),
        ) as string,
      );
    };
  }

  describe('a text that is larger than the room', () => {
    it('is read by character, by line and in order', async () => {
      const value = await open(crowded(fromFile(join(folder, 'book.txt'))));
      const points = [...TEXT];
      expect(await value('[len(context), context.size, type(context).__name__, context.path, context.kind]')).toEqual([
        points.length,
        points.length,
        'LargeText',
        'book.txt',
        'text',
      ]);
      for (const at of [0, 1, 262_140, 500_001, 1_048_570, points.length - 9])
        expect(await value(`context[${at}:${at + 9}]`)).toBe(points.slice(at, at + 9).join(''));
      expect(await value('context[-7:]')).toBe('no feed');
      expect(await value('[len(context.lines), context.lines[0], context.lines[59999], context.lines[-1]]')).toEqual([
        60_001,
        LINES[0],
        LINES[59_999],
        'no feed',
      ]);
      expect(await value('context.lines[31234:31236]')).toEqual(LINES.slice(31_234, 31_236));
      expect(await value('sum(len(line) for line in context.lines)')).toBe(points.length - 60_000);
      expect(await value('[line for line in context.open()][40000]')).toBe(`${LINES[40_000]}\n`);
      expect(await value('[context.find("45678:"), context.count("Größe"), "60001:" in context]')).toEqual([
        [...TEXT.slice(0, TEXT.indexOf('45678:'))].length,
        60_000,
        false,
      ]);
      expect(await value('[h["match"] for h in context.search(r"^5999\\d: \\w+", 3)]')).toEqual([]);
      expect(await value('[h["match"] for h in context.finditer(r"(?m)^5999\\d: \\w+")][-1]')).toBe('59999: Größe');
      expect(await value('len(chunks(context, 100_000, by="lines"))')).toBeGreaterThan(20);
    });

    it('in another encoding, too', async () => {
      const latin = Buffer.from(LINES.map((line) => line.replace(' 😀', '')).join('\n'), 'latin1');
      writeFileSync(join(folder, 'latin.txt'), latin);
      const wide = Buffer.from(`\ufeff${TEXT}`, 'utf16le');
      writeFileSync(join(folder, 'wide.txt'), wide);
      const value = await open(crowded(fromFile(join(folder, 'latin.txt'))));
      expect(await value('[context.lines[50000], context[700_000:700_040]]')).toEqual([
        LINES[50_000]?.replace(' 😀', ''),
        latin.toString('latin1').slice(700_000, 700_040),
      ]);
      const other = await open(crowded(fromFile(join(folder, 'wide.txt'))));
      expect(await other('[context.lines[50000], len(context), context[1_500_000:1_500_020]]')).toEqual([
        LINES[50_000],
        [...TEXT].length,
        [...TEXT].slice(1_500_000, 1_500_020).join(''),
      ]);
    });

    it('says so in the first message, with how to use it', async () => {
      const { context } = await loadedAlone(fromFile(join(folder, 'data.csv')));
      expect(context).toMatchObject({ type: 'lazy text', onDemand: true, lines: 2 * CSV_ROWS + 2 });
      expect(context.shape).toMatch(/too large for the REPL.*a projection.*`\.lines\[n\]`.*`\.rows`, read on demand/);
    });
  });

  describe('rows of a large file', () => {
    it('of CSV: quoted line feeds, types, by index and in order', async () => {
      const value = await open(crowded(fromFile(join(folder, 'data.csv'))));
      const row = (id: number) => ({ id, name: `name "${id}"\nsecond line; `, price: id / 4, open: id % 2 === 0 });
      expect(await value('[context.rows.columns, context.rows[0], context.rows[12345]]')).toEqual([
        ['id', 'name', 'price', 'open'],
        row(0),
        row(12_345),
      ]);
      expect(await value('[len(context.rows), context.rows[-1]["id"], [r["id"] for r in context.rows[5:8]]]')).toEqual([
        CSV_ROWS,
        CSV_ROWS - 1,
        [5, 6, 7],
      ]);
      expect(await value('sum(r["price"] for r in context.rows)')).toBe(((CSV_ROWS - 1) * CSV_ROWS) / 8);
      expect(await value('[context.rows.search("name ..777.")[0]["index"], context.tables[0].name]')).toEqual([
        777,
        'data.csv',
      ]);
    });

    it('of JSON Lines: integers exact', async () => {
      const value = await open(crowded(fromFile(join(folder, 'data.jsonl'))));
      expect(await value('[len(context.rows), str(context.rows[29999]["big"]), context.rows.columns]')).toEqual([
        30_000,
        '1152921504606846977',
        ['id', 'big', 'tag'],
      ]);
      expect(await value('sum(1 for r in context.rows if r["tag"] == "t3")')).toBe(4_286);
    });

    it('of Parquet: by row group, in order and at random', async () => {
      const value = await open(fromFile(join(folder, 'big.parquet')));
      expect(await value('[len(context.rows), context.rows.columns[:3], context.rows[0]["city"]]')).toEqual([
        PARQUET_ROWS,
        ['id', 'city', 'v0'],
        'city 0',
      ]);
      expect(await value('[context.rows[i]["id"] for i in (299999, 69999, 70000, 250001)]')).toEqual([
        299_999, 69_999, 70_000, 250_001,
      ]);
      expect(await value('[sum(r["id"] for r in context.rows), context.tables["rows"][-1]["v5"]]')).toEqual([
        (PARQUET_ROWS * (PARQUET_ROWS - 1)) / 2,
        (PARQUET_ROWS - 1) / 2,
      ]);
    });
  });

  describe('a folder that is larger than the room', () => {
    it('is read document by document', async () => {
      const value = await open(crowded(fromFiles('notes', { cwd: folder })));
      expect(await value('[len(context), context[7].text[:7], context["notes/n39.txt"].lines[499]]')).toEqual([
        40,
        'note 7\n',
        'note 39',
      ]);
      expect(await value('sum(d.text.count("note") for d in context)')).toBe(40 * 500);
      expect(await value('sum("note 33" in d for d in context)')).toBe(1);
      expect(await value('[type(context[3].text).__name__, context[3].size]')).toEqual(['LargeText', 3_500]);
    });

    it('says so', async () => {
      const { context } = await loadedAlone(fromFiles('notes', { cwd: folder }));
      expect(context.shape).toMatch(/together they are too large for the REPL: each is read/);
    });
  });

  it('a file that is written to meanwhile is an error that names it', async () => {
    const path = join(folder, 'changing.txt');
    writeFileSync(path, TEXT);
    await open(crowded(fromFile(path)));
    await session?.execute('first = context[:5]');
    utimesSync(path, new Date(), new Date(Date.now() + 60_000));
    const { error } = (await session?.execute('context[500_000:500_010]')) ?? {};
    expect(error).toMatchObject({
      type: 'OSError',
      message: expect.stringContaining('changing.txt: the file was written to since'),
    });
    rmSync(path);
    expect((await session?.execute('context.lines[5]'))?.error?.message).toContain('the file is gone');
  });
});

async function loadedAlone(source: ContextSource) {
  return { context: await source.load(new ContextRoom(1_000)) };
}
