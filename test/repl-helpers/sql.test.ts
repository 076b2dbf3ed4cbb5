/** `sql`: tables of every kind of file and of variables, limits, and what statements cannot do, on both backends. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { contexts, createRlm, fromFile, fromFiles, type Limits, projected } from '../../src/index.ts';
import { type ScriptedRequest, scriptedModel } from '../../src/test.ts';
import { makeParquet } from '../documents/kinds-of-binaries.ts';
import { makeWorkbook } from '../documents/made-files.ts';
import { cell } from '../engine/harness.ts';
import { onEachBackend } from '../session/on-each-backend.ts';

vi.setConfig({ testTimeout: 90_000 });

const folder = mkdtempSync(join(tmpdir(), 'fathom-sql-'));
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  execFileSync('python3', [fileURLToPath(new URL('../documents/make_files.py', import.meta.url)), folder]);
  writeFileSync(at('fees.csv'), 'name;fee;code\nAnn;12;007\nBob;7,5;010\n');
  writeFileSync(at('rates.jsonl'), '{"code": "007", "rate": 3}\n{"code": "010", "rate": 12345678901234567890}\n');
  writeFileSync(at('cities.parquet'), makeParquet());
  writeFileSync(at('book.xlsx'), makeWorkbook('xlsx'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

await onEachBackend(({ repl }) => {
  /** The answer of a run of one cell, and the first message that its model got. */
  async function run(context: unknown, lines: readonly string[], limits: Partial<Limits> = {}) {
    let message = '';
    const model = scriptedModel(({ prompt, callIndex }: ScriptedRequest): string => {
      if (callIndex > 0) throw new Error(prompt);
      message = prompt;
      return cell(...lines);
    });
    const rlm = createRlm({ repl, model, limits });
    try {
      const { text } = await rlm.completion({ query: 'q', context: context as string });
      return { answer: JSON.parse(text) as unknown, message };
    } finally {
      await rlm.close();
    }
  }
  const answerTo = async (...given: Parameters<typeof run>): Promise<unknown> => (await run(...given)).answer;
  /** A cell that answers with the name and the text of the error of a statement. */
  const failure = (statement: string): string[] => [
    'try:',
    `    FINAL(sql(${JSON.stringify(statement)}))`,
    'except Exception as error:',
    '    FINAL([type(error).__name__, str(error)])',
  ];

  describe('sql', () => {
    it('finds the tables of one file by its name, which the first message has', async () => {
      const { answer, message } = await run(fromFile(at('book.xlsx')), [
        'FINAL([sql.tables(), sql("select Name, Fee, \\"When\\" from book_Fees where Fee > ?", 7), sql("select count(*) n from book_Report")])',
      ]);
      expect(message).toContain('Tables for `sql`: `book_Fees`, `book_Report`.');
      expect(answer).toEqual([
        [
          { table: 'book_Fees', columns: ['Name', 'Fee', 'Paid', 'When'], rows: 2, source: 'book.xlsx: Fees' },
          { table: 'book_Report', columns: ['key', 'value'], rows: 1, source: 'book.xlsx: Report' },
        ],
        [{ Name: 'Ann', Fee: 12.5, When: '2026-01-31' }],
        [{ n: 1 }],
      ]);
    });

    it('joins files of several kinds, lists of dicts of cells and values that stay on the host', async () => {
      const { answer, message } = await run(
        contexts({
          files: fromFiles(['fees.csv', 'rates.jsonl', 'book.xlsx'], { cwd: folder }),
          names: [{ name: 'Ann', city: 'Kyiv' }],
          rows: projected([{ city: 'Kyiv', zip: '01001' }]),
        }),
        [
          'mine = [{"code": "007", "note": None}]',
          'FINAL(sql("""select f.fee, r.rate, b.Fee as other, n.city, p.zip, m.note from fees f join rates r on r.code = f.code',
          '  join book_Fees b on b.Name = f.name join names n on n.name = f.name join rows p on p.city = n.city',
          '  left join mine m on m.code = f.code"""))',
        ],
      );
      expect(message).toContain('Tables for `sql`: `book_…`, `fees`, `rates`, `names`, … is the name of a sheet.');
      expect(answer).toEqual([{ fee: '12', rate: 3, other: 12.5, city: 'Kyiv', zip: '01001', note: null }]);
    });

    it('reads Parquet and SQLite, integers with all their digits', async () => {
      const found = await answerTo(fromFiles(['cities.parquet', 'shop.db'], { cwd: folder }), [
        'FINAL([[one["table"] for one in sql.tables()], sql("select city, people = 1152921504606846976 as same from cities"), sql("select id || \'\' as id, data from shop")])',
      ]);
      expect(found).toEqual([
        ['cities', 'shop'],
        [
          { city: 'Graz', same: 0 },
          { city: 'Kyiv', same: 1 },
        ],
        [
          { id: '1', data: '0102' },
          { id: '1152921504606846976', data: null },
        ],
      ]);
    });

    it('does what docs/contexts.md says', async () => {
      const page = readFileSync(new URL('../../docs/contexts.md', import.meta.url), 'utf8');
      const section = page.slice(page.indexOf('## Tables and SQL'));
      const block = (language: string): string =>
        new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(section)?.[1] ?? '';
      mkdirSync(at('docs'), { recursive: true });
      writeFileSync(at('docs/fees.csv'), block('csv'));
      writeFileSync(at('docs/rates.jsonl'), block('json'));
      const steps = block('python')
        .split('>>> ')
        .slice(1)
        .map((step) => step.trim().split('\n'));
      expect(steps).toHaveLength(6);
      const found = await answerTo(fromFiles(['fees.csv', 'rates.jsonl'], { cwd: at('docs') }), [
        'shown = []',
        ...steps.flatMap(([code = '']) =>
          code.startsWith('cities')
            ? [code]
            : [
                'try:',
                `    shown.append(repr(${code}))`,
                'except ValueError as error:',
                '    shown.append(f"{type(error).__name__}: {error}")',
              ],
        ),
        'FINAL(shown)',
      ]);
      expect(found).toEqual(steps.flatMap(([, ...results]) => (results.length === 0 ? [] : [results.join('\n')])));
    });

    it('is a plain name: a variable of a cell, a tool and a context of that name win', async () => {
      expect(await answerTo('x', ['sql = 5', 'import fathom', 'FINAL([sql, fathom.sql("select 1 as a")])'])).toEqual([
        5,
        [{ a: 1 }],
      ]);
      expect(await answerTo(contexts({ sql: 'mine' }), ['FINAL([sql])'])).toEqual(['mine']);
    });

    it('is there after a snapshot, and sees the tables again', async () => {
      const rlm = createRlm({ repl, model: scriptedModel([]) });
      try {
        const session = await rlm.createSession({ context: fromFile(at('rates.jsonl')) });
        await session.execute('before = sql("select count(*) as n from rates")');
        await session.snapshot('one');
        await session.execute('rates = [{"a": 1}]; sql("select * from rates")');
        await session.rollback('one');
        const { stdout } = await session.execute('print(before, sql("select count(*) as n from rates"))');
        expect(stdout.trim()).toBe("[{'n': 2}] [{'n': 2}]");
      } finally {
        await rlm.close();
      }
    });

    it('explains what is wrong, with the tables and columns that there are', async () => {
      const fees = fromFile(at('fees.csv'));
      expect(await answerTo(fees, failure('select * from feess'))).toEqual([
        'SqlError',
        'no table feess; did you mean fees? Tables: fees (name, fee, code)',
      ]);
      expect(await answerTo(fees, failure('select cod from fees'))).toEqual([
        'SqlError',
        'no column cod. Tables: fees (name, fee, code); did you mean code?',
      ]);
    });

    it.each([
      ['an endless statement', { sqlTimeoutMs: 300 }, 'TimeoutError', 'longer than 0.3 s (sqlTimeoutMs)'],
      [
        'a statement that needs much memory',
        { sqlMemoryBytes: 8 * 1024 ** 2 },
        'MemoryError',
        '8 MiB (sqlMemoryBytes)',
      ],
      ['a large result', { maxSqlRows: 10 }, 'SqlError', 'more than 10 rows (maxSqlRows)'],
    ])('stops %s by a limit, and works afterwards', async (_, limits, type, words) => {
      const endless = 'with recursive n(x) as (select 1 union all select x + 1 from n) ';
      const statement = {
        TimeoutError: `${endless} select max(x) from n`,
        MemoryError: `${endless} select x, zeroblob(10000) z from n order by z`,
        SqlError: `${endless} select x from n`,
      }[type];
      const found = await answerTo(
        [{ a: 1 }],
        [
          'try:',
          `    got = sql("${statement}")`,
          'except Exception as error:',
          '    got = [type(error).__name__, str(error)]',
          'FINAL([got, sql("select a from context")])',
        ],
        limits,
      );
      expect(found).toEqual([[type, expect.stringContaining(words)], [{ a: 1 }]]);
    });

    it('is interrupted with its cell, whose variables stay', async () => {
      const rlm = createRlm({ repl, model: scriptedModel([]) });
      try {
        const session = await rlm.createSession({ context: [{ a: 1 }] });
        await session.execute('kept = sql("select a from context")');
        const endless = 'with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n';
        const cut = await session.execute(`sql("${endless}")`, { timeoutMs: 1_000 });
        expect(cut).toMatchObject({ ok: false, timedOut: true });
        const { stdout } = await session.execute('print(kept, sql("select a from context"))');
        expect(stdout.trim()).toBe("[{'a': 1}] [{'a': 1}]");
      } finally {
        await rlm.close();
      }
    });

    it('says when a table is larger than SQLite may be here', async () => {
      const found = await answerTo(
        'x',
        ['big = [{"a": "x" * 1000, "b": n} for n in range(20000)]', ...failure('select count(*) from big')],
        { sqlMemoryBytes: 8 * 1024 ** 2 },
      );
      expect(found).toEqual([
        'MemoryError',
        expect.stringMatching(/^the table big needs more memory .*sqlMemoryBytes/),
      ]);
    });

    it.each(['attach', 'pragma', 'load_extension', 'vacuum', 'insert'])(
      'refuses %s, which SQLite itself would do',
      async (kind) => {
        const statement = {
          attach: "attach 'made.db' as made",
          pragma: 'pragma user_version = 7',
          load_extension: "select load_extension('x')",
          vacuum: "vacuum into 'made.db'",
          insert: 'insert into fees values (1, 2, 3)',
        }[kind];
        const lines = [
          'import os, sqlite3',
          'plain = sqlite3.connect(":memory:", isolation_level=None)',
          'plain.execute("create table fees (a, b, c)")',
          'try:',
          `    plain.execute(${JSON.stringify(statement)})`,
          '    control = "done"',
          'except sqlite3.Error as error:',
          '    control = str(error)',
          'plain.close()',
          'made = os.path.exists("made.db")',
          'if made: os.remove("made.db")',
          'sql("select * from fees")',
          'try:',
          `    got = sql(${JSON.stringify(statement)})`,
          'except ValueError as error:',
          '    got = str(error)',
          'FINAL([control, made, got, os.path.exists("made.db"), len(sql("select * from fees"))])',
        ];
        const found = (await answerTo(fromFile(at('fees.csv')), lines)) as readonly unknown[];
        expect(found.slice(2)).toEqual([expect.stringMatching(/^sql reads tables and does nothing else: /), false, 2]);
        // The controls: without the wall, the statement works, or fails for a reason of its own.
        if (kind === 'load_extension') expect(found[0]).toMatch(/not authorized|no such function/);
        else expect(found.slice(0, 2)).toEqual(['done', kind === 'attach' || kind === 'vacuum']);
      },
    );
  });
});
