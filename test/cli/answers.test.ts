/** `-o` with CSV and JSON lines, and answers of megabytes. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { ask, cell, folder, mock, playing } from './ask-harness.ts';

const MODEL = 'openai/gpt-5-mini';
const ROWS = '[{"name": "Ünal, A.", "n": 2**60+1}, {"name": "", "n": None}]';
const list = { type: 'array', items: { type: 'object', properties: { name: {}, n: {} } } };

beforeAll(() => {
  writeFileSync(join(folder, 'list.json'), JSON.stringify(list));
  writeFileSync(join(folder, 'object.json'), JSON.stringify({ type: 'object' }));
});

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const asked = (schema: string, file: string, ...more: readonly string[]) =>
  ask(['Q', '-m', MODEL, '--schema', schema, '-o', file, ...more]);

test.each([
  ['rows.csv', 'name,n\n"Ünal, A.",1152921504606846977\n"",\n'],
  ['rows.jsonl', '{"name":"Ünal, A.","n":1152921504606846977}\n{"name":"","n":null}\n'],
])('%s holds the rows of a typed answer, for its owner alone', async (file, text) => {
  playing(cell(`FINAL(${ROWS})`));
  expect(await asked('list.json', file)).toMatchObject({ code: 0, stdout: '' });
  expect(read(file)).toBe(text);
  expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
});

test('a schema that the file cannot hold is refused before anything is sent', async () => {
  const before = mock.calls.length;
  const { code, stderr } = await asked('object.json', 'refused.csv');
  expect(code).toBe(2);
  expect(stderr).toContain(
    'a CSV file holds a list of objects of plain values, and by the schema the answer is not a list',
  );
  expect(mock.calls.length).toBe(before);
});

test('an answer that does not fit is saved as JSON beside the file, and in the output where that exists', async () => {
  playing(cell('FINAL([{"name": ["x"], "n": 1}])'));
  const first = await asked('list.json', 'nested.csv');
  expect(first).toMatchObject({ code: 1, stdout: '' });
  expect(first.stderr).toContain('item 1 of the answer has a list or an object in "name". It is saved as JSON');
  expect(existsSync(join(folder, 'nested.csv'))).toBe(false);
  expect(JSON.parse(read('nested.csv.json'))).toEqual([{ name: ['x'], n: 1 }]);
  const second = await asked('list.json', 'nested.csv');
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(/does not fit into nested.csv: .* nested.csv.json exists/s);
  expect(JSON.parse(second.stdout)).toEqual([{ name: ['x'], n: 1 }]);
});

test('an answer of megabytes from a variable is printed and saved whole', async () => {
  playing(cell('lines = "é😀 0123456789\\n" * 200_000\nFINAL(lines)'));
  const text = 'é😀 0123456789\n'.repeat(200_000);
  expect((await ask(['Q', '-m', MODEL])).stdout === text).toBe(true);
  expect((await ask(['Q', '-m', MODEL, '-o', 'long.csv'])).code).toBe(0);
  expect(read('long.csv') === text).toBe(true);
});
