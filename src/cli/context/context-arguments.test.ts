import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadContext } from '../../context/index.ts';
import { contextFromArguments } from './context-arguments.ts';
import { atMost } from './spooled-input.ts';

let folder = '';
const NOTHING = Readable.from([]);
/** No descriptor: nothing is piped in. */
const CLOSED = -1;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-context-'));
  writeFileSync(join(folder, 'a.txt'), 'alpha');
  writeFileSync(join(folder, 'b.txt'), 'beta');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function loaded(paths: readonly string[], stdin: Readable = NOTHING) {
  const { context, dispose } = await contextFromArguments({
    options: { file: paths },
    stdin: Object.assign(stdin, { fd: CLOSED }),
    note: () => undefined,
  });
  const set = await loadContext(context);
  return { set, dispose };
}

test('without an argument there is no context', async () => {
  const { set } = await loaded([]);
  expect(set).toMatchObject({ kind: 'one', context: { value: { kind: 'none' } } });
});

test('one file is its text', async () => {
  const { set } = await loaded([join(folder, 'a.txt')]);
  expect(set).toMatchObject({ kind: 'one', context: { type: 'str', size: 5, preview: 'alpha' } });
});

test('a folder, a pattern and several files are documents', async () => {
  for (const paths of [[folder], [join(folder, '*.txt')], [join(folder, 'a.txt'), join(folder, 'b.txt')]]) {
    const { set } = await loaded(paths);
    expect(set).toMatchObject({ kind: 'one', context: { unit: 'documents', size: 2 } });
  }
});

test('standard input is a file while the run lasts, and is gone after it', async () => {
  const { set, dispose } = await loaded(['-'], Readable.from([Buffer.from([0xff, 0x62, 0x61])]));
  if (set.kind !== 'one' || set.context.value.kind !== 'file') throw new Error('standard input must become a file');
  const { path, bytes } = set.context.value;
  expect(bytes).toBe(3);
  expect(existsSync(path)).toBe(true);
  await dispose();
  expect(existsSync(dirname(path))).toBe(false);
});

test('standard input beside files is a variable of its own', async () => {
  const { set, dispose } = await loaded(['-', folder], Readable.from(['gamma']));
  if (set.kind !== 'named') throw new Error('expected named contexts');
  expect([...set.contexts.keys()]).toEqual(['stdin', 'files']);
  expect(set.contexts.get('stdin')).toMatchObject({ type: 'str', size: 5 });
  expect(set.contexts.get('files')).toMatchObject({ unit: 'documents', size: 2 });
  await dispose();
});

test('a file that is not there is named', async () => {
  await expect(loaded([join(folder, 'none.txt')])).rejects.toMatchObject({ code: 'context-not-found' });
});

test('a pipe without an end is cut off where no REPL could hold more', async () => {
  async function* endless() {
    for (;;) yield Buffer.alloc(10);
  }
  const passed: number[] = [];
  const reading = (async () => {
    for await (const piece of atMost(35)(endless())) passed.push(piece.length);
  })();
  await expect(reading).rejects.toMatchObject({ code: 'context-length', data: { bytes: 35 } });
  expect(passed).toEqual([10, 10, 10]);
});
