/** Statements over files in DuckDB: values, types, limits, and the walls of their process. */
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startInWalls, workingForm } from '../../src/convert/converter-walls.ts';
import { findDuckDb, INSTALL_DUCKDB } from '../../src/convert/duckdb/duckdb-package.ts';
import { runStatement, type StatementFile, startStatement } from '../../src/convert/duckdb/run-statement.ts';
import type { Statement } from '../../src/convert/duckdb/statement.ts';

let folder = '';
let server: Server;
let files: readonly StatementFile[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-sql-files-'));
  server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  await db.run(`copy (select range as id, 4611686018427387904 + range as large, 'x' || range as text, range / 2.0::double as half,
    date '2026-01-31' as day, timestamp '2026-01-31 12:30:00' as moment, [range, null] as list, {'a': range} as inner,
    'ab'::blob as bytes, null as nothing, 12.50::decimal(9, 2) as price from range(3)) to '${join(folder, 'all.parquet')}' (format parquet)`);
  db.closeSync();
  writeFileSync(
    join(folder, 'fees.csv'),
    'name,fee,code,paid,n\nAnn,1,007,true,1\n"B;ob",2.5,010,,\n\n"C\nd",,011,false,3\n',
  );
  writeFileSync(join(folder, 'late.csv'), `n\n${'1\n'.repeat(100_000)}none\n`);
  writeFileSync(join(folder, 'tabs.tsv'), 'a\tb\n1,5\t"x"\n');
  writeFileSync(join(folder, 'secret'), 'secret');
  const open = (name: string, form: StatementFile['form'], file: string): StatementFile => ({
    name,
    form,
    fd: openSync(join(folder, file), 'r'),
  });
  files = [
    open('all_types', 'parquet', 'all.parquet'),
    open('fees', 'csv', 'fees.csv'),
    open('late', 'csv', 'late.csv'),
    open('tabs', 'tsv', 'tabs.tsv'),
  ];
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const NEEDS = workingForm() === undefined ? ' (skipped: bubblewrap does not work here)' : '';

async function outcome(text: string, more: Partial<Statement & { readonly timeoutMs: number }> = {}): Promise<unknown> {
  const limits = { memoryBytes: 256 * 1024 ** 2, maxRows: 100, timeoutMs: 60_000 };
  return JSON.parse(await runStatement({ text, values: [], files, ...limits, ...more }));
}
const rowsOf = async (...given: Parameters<typeof outcome>): Promise<unknown> =>
  ((await outcome(...given)) as { rows: unknown }).rows;

describe.skipIf(NEEDS !== '')(`a statement over files${NEEDS}`, { timeout: 60_000 }, () => {
  test('gives the values that a conversion gives', async () => {
    const text = 'select * exclude (large), large::text as large from all_types where id = 1';
    expect(await outcome(text)).toEqual({
      columns: ['id', 'text', 'half', 'day', 'moment', 'list', 'inner', 'bytes', 'nothing', 'price', 'large'],
      rows: [
        [
          1,
          'x1',
          0.5,
          '2026-01-31',
          '2026-01-31T12:30:00.000Z',
          [1, null],
          { a: 1 },
          '6162',
          null,
          12.5,
          '4611686018427387905',
        ],
      ],
    });
    const whole = await runStatement({
      text: 'select sum(large) from all_types',
      values: [],
      files,
      memoryBytes: 1e9,
      maxRows: 1,
      timeoutMs: 60_000,
    });
    expect(whole).toContain('[13835058055282163715]');
  });

  test('reads CSV with the types of the rows of a document, and as text', async () => {
    expect(await rowsOf('select * from fees')).toEqual([
      ['Ann', 1, '007', true, 1],
      ['B;ob', 2.5, '010', null, null],
      ['C\nd', null, '011', false, 3],
    ]);
    expect(await rowsOf('select fee, paid from fees_text')).toEqual([
      ['1', 'true'],
      ['2.5', ''],
      ['', 'false'],
    ]);
    expect(await rowsOf('select a, b from tabs')).toEqual([['1,5', 'x']]);
    expect(await outcome('select sum(n) from late')).toEqual({
      error: 'statement',
      message: expect.stringContaining('Conversion Error'),
    });
    expect(
      await rowsOf('select count(*) from late_text where n = ?', { values: [{ type: 'text', value: 'none' }] }),
    ).toEqual([[1]]);
  });

  test('takes values in order or by name, and joins files', async () => {
    const value = { type: 'integer', digits: '4611686018427387905' } as const;
    expect(await rowsOf('select id from all_types where large >= ? order by id', { values: [value] })).toEqual([
      [1],
      [2],
    ]);
    expect(
      await rowsOf('select f.name from all_types a join fees f on f.n = a.id where a.id > $least', {
        values: { least: { type: 'number', value: 0.5 } },
      }),
    ).toEqual([['Ann']]);
    expect(await outcome('select 1 where 1 = ?')).toEqual({
      error: 'statement',
      message: 'the statement takes 1 values, and 0 are given',
    });
  });

  test('is bounded in time, memory and rows, which are errors that say so', async () => {
    expect(
      await outcome('select sum(a.range * b.range) from range(10000000) a, range(10000000) b', { timeoutMs: 2_000 }),
    ).toEqual({ error: 'timeout', message: '2 s' });
    expect(
      await outcome('select count(*) from (select distinct range from range(20000000))', {
        memoryBytes: 16 * 1024 ** 2,
      }),
    ).toMatchObject({ error: 'memory' });
    expect(await outcome('select * from range(101)')).toEqual({
      error: 'statement',
      message: expect.stringContaining('more than 100 rows (maxSqlRows)'),
    });
    expect(await outcome("select repeat('x', 1000000) from range(50)")).toEqual({
      error: 'statement',
      message: 'the result has more than 16 MiB: select fewer columns or rows',
    });
  });
});

const made = (name: string): string => join(folder, name);
/** Statements that reach beyond the tables, each for a path of this test. */
const ATTACKS: Readonly<Record<string, () => string>> = {
  'reads another file': () => `select * from read_text('${made('secret')}')`,
  'lists a folder': () => `select count(*) from glob('${folder}/*')`,
  'writes a file': () => `copy (select 1) to '${made('written.csv')}'`,
  'opens another database': () => `attach '${made('made.duckdb')}' as made`,
  'exports the database': () => `export database '${made('exported')}'`,
  'raises its memory': () => "set memory_limit = '3GB'",
  'allows files again': () => "set allowed_directories = ['/']",
  'creates a table': () => 'create table mine as select 1',
  'runs two statements': () => 'select 1; select 2',
};

describe('a statement over files reaches nothing else', { timeout: 60_000 }, () => {
  test.each(Object.entries(ATTACKS))(`control: DuckDB itself %s`, async (_, attack) => {
    const db = await (await DuckDBInstance.create(':memory:')).connect();
    await db.run(attack());
    db.closeSync();
  });

  test.skipIf(NEEDS !== '').each(Object.entries(ATTACKS))(`and %s not${NEEDS}`, async (_, attack) => {
    const found = (await outcome(attack())) as { readonly error?: string; readonly message?: string };
    expect(found.error).toBe('statement');
    expect(found.message).toMatch(
      /Permission Error|does nothing else|takes one statement|configuration has been locked/,
    );
  });

  test.skipIf(NEEDS !== '')(`nor does a process that was taken over${NEEDS}`, async () => {
    const own = join(folder, 'taken');
    mkdirSync(own);
    copyFileSync(fileURLToPath(new URL('break-out.mjs', import.meta.url)), join(own, 'break-out.mjs'));
    const args = [String((server.address() as AddressInfo).port), made('secret'), folder, String(process.pid)];
    writeFileSync(
      join(own, 'sql.mjs'),
      `process.argv.push(...${JSON.stringify(args)});\nawait import('./break-out.mjs');\n`,
    );
    const form = workingForm();
    const packages = findDuckDb();
    if (form === undefined || packages === undefined) throw new Error('DuckDB and bubblewrap are needed');
    const code = { script: join(own, 'main.mjs'), readable: [own] };
    const run = { text: '', values: [], files, memoryBytes: 1, maxRows: 1, timeoutMs: 1 };
    expect(await printedBy(startStatement(run, { form, packages, code }))).toEqual([]);
    // Native code is not bound by Node's permission model: the namespaces alone.
    const alone = startInWalls({
      form,
      node: [join(own, 'sql.mjs')],
      readable: [own],
      stdin: 'ignore',
      files: new Map(),
    });
    expect(await printedBy(alone)).toEqual(['starts a worker', 'makes code of text']);
  });

  test('without namespaces, or without DuckDB, it is refused with what to do', async () => {
    const run = { text: 'select 1', values: [], files: [], memoryBytes: 1, maxRows: 1, timeoutMs: 1 };
    await expect(runStatement(run, { form: () => undefined })).rejects.toThrow(
      /bubblewrap, which makes them, does not work/,
    );
    await expect(runStatement(run, { find: () => undefined })).rejects.toThrow(`run \`${INSTALL_DUCKDB}\``);
    await expect(
      runStatement({ ...run, files: Array.from({ length: 17 }, () => files[0]).filter((file) => file !== undefined) }),
    ).rejects.toThrow('a statement may name 16 large files');
  });
});

async function printedBy(child: ReturnType<typeof startInWalls>): Promise<unknown> {
  let printed = '';
  child.stdout?.on('data', (piece: Buffer) => {
    printed += piece.toString();
  });
  await once(child, 'close');
  return JSON.parse(printed);
}
