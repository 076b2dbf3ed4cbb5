/** The names that the first message gives tables are those that `sql` finds them by. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { findPython } from '../../test/repl-conformance/plain-python.ts';
import { contexts, fromFile, fromFiles, loadContext } from './index.ts';
import { OwnNames, sqlName, stemOf } from './sql-names.ts';
import { sqlTables } from './sql-tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'fathom-sql-names-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { path: python, reason } = findPython();

const PATHS = [
  ...['data/fees-2026.csv', '2026 Q1.xlsx', 'order.csv', 'Order.csv', 'a.b.csv.gz', '.csv', '---', 'x/'],
  ...['Größe.tsv', '東京.csv', 'é.csv', '٣.csv', '½.csv', 'a\u0301.csv', '😀.csv', 'İ.csv', '__a__.csv', 'ab_.csv'],
  ...["x'); drop table y;--.csv", `${'long '.repeat(30)}.csv`, 'a.zst.csv', 'table', 'a\nb.csv', 'Ⅳ.csv', '_.csv'],
];

test.skipIf(python === undefined)(`the guest gives the same names${reason === undefined ? '' : `: ${reason}`}`, () => {
  const code = [
    'import json, sys',
    'from fathom_guest.sql_names import own_name, sql_name, stem_of',
    'taken = {}',
    'print(json.dumps([[sql_name(path), own_name(stem_of(path), taken)] for path in json.load(sys.stdin)]))',
  ].join('\n');
  const cwd = fileURLToPath(new URL('../../guest', import.meta.url));
  const given = execFileSync(python ?? '', ['-B', '-c', code], { cwd, input: JSON.stringify([...PATHS, ...PATHS]) });
  const names = new OwnNames();
  const ours = [...PATHS, ...PATHS].map((path) => [sqlName(path), names.give(stemOf(path))]);
  expect(JSON.parse(given.toString())).toEqual(ours);
});

async function namesOf(context: Parameters<typeof loadContext>[0]): Promise<readonly string[]> {
  return sqlTables(await loadContext(context)).map(({ name, isBeginning }) => (isBeginning ? `${name}_…` : name));
}

function made(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test('files that are tables, lists of dicts, and no other contexts, have tables', async () => {
  const fees = made('a/fees.csv', 'name,fee\nAnn,1\n');
  const again = made('b/fees.csv', 'name,fee\nBob,2\n');
  const records = made('a/records.json', '[{"a": 1}]');
  const notes = made('a/notes.txt', 'none');
  expect(await namesOf(fromFile(fees))).toEqual(['fees']);
  expect(await namesOf(fromFile(records))).toEqual(['records']);
  expect(await namesOf(fromFiles([fees, again, records, notes], { cwd: folder }))).toEqual(['fees', 'fees_2']);
  expect(await namesOf(contexts({ x: fromFile(fees), rows: [{ a: 1 }], one: { a: 1 } }))).toEqual(['fees', 'rows']);
  expect(await namesOf(fromFile(notes))).toEqual([]);
  expect(await namesOf([1, 2])).toEqual([]);
  expect(await namesOf(undefined)).toEqual([]);
});
