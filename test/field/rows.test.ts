/**
 * The tests of each kind of fault: public reports of people who do this job, a first hour of use, and an attack on
 * the walls. A test that is renamed or removed has to leave its row behind.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ATTACKS } from './rows-of-attacks.ts';
import { FIRST_HOUR } from './rows-of-first-hour.ts';
import { REPORTS } from './rows-of-reports.ts';

/** A kind of fault, and its tests: a file with parts of the names of its tests. */
export type Row = readonly [topic: string, ...tests: (readonly [file: string, ...names: string[]])[]];

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The names of a row that its files do not have. */
function missing(row: Row): readonly string[] {
  const [, ...tests] = row;
  return tests.flatMap(([file, ...names]) => {
    const path = `${ROOT}${file}`;
    if (!existsSync(path)) return [file];
    const text = readFileSync(path, 'utf8');
    return names.filter((name) => !text.includes(name)).map((name) => `${file}: ${name}`);
  });
}

describe.each([
  ['reports from the field', REPORTS],
  ['a first hour', FIRST_HOUR],
  ['attacks and losses', ATTACKS],
])('%s: each kind of fault has its tests', (_, rows) => {
  test.each(rows.map((row) => ({ topic: row[0], row })))('$topic', ({ row }) => {
    const names = row.slice(1).flatMap(([, ...parts]) => parts);
    expect(names.length).toBeGreaterThan(0);
    expect(missing(row)).toEqual([]);
  });

  test('each kind is there once', () => {
    const topics = rows.map(([topic]) => topic);
    expect(topics.filter((topic, at) => topics.indexOf(topic) !== at)).toEqual([]);
  });
});

test('a name that is not there is found: the control', () => {
  const gone = ['no', 'such', 'name'].join(' ');
  expect(missing(['x', ['test/field/rows.test.ts', 'each kind of fault has its tests', gone]])).toEqual([
    `test/field/rows.test.ts: ${gone}`,
  ]);
  expect(missing(['x', ['test/field/gone.test.ts', 'a']])).toEqual(['test/field/gone.test.ts']);
});
