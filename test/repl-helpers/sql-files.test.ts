/** `sql` over files that are too large for SQLite: DuckDB runs the statement on the host's side, on both backends. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { workingForm } from '../../src/convert/converter-walls.ts';
import { createRlm, fromFile, fromFiles, type Limits } from '../../src/index.ts';
import { type ScriptedRequest, scriptedModel } from '../../src/test.ts';
import { cell } from '../engine/harness.ts';
import { onEachBackend } from '../session/on-each-backend.ts';

vi.setConfig({ testTimeout: 90_000 });

const ROWS = 400_000;
const SMALL = { sqlMemoryBytes: 64 * 1024 ** 2 };
const folder = mkdtempSync(join(tmpdir(), 'fathom-sql-large-'));
const at = (name: string): string => join(folder, name);
const NEEDS = workingForm() === undefined ? ' (skipped: bubblewrap does not work here)' : '';

beforeAll(async () => {
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  await db.run(`copy (select range as id, range % 7 as kind, 'order ' || hash(range) as text, 9007199254740993 + range as large
    from range(${ROWS})) to '${at('orders.parquet')}' (format parquet, compression uncompressed)`);
  await db.run(
    `copy (select range as kind, 'kind ' || range as name from range(7)) to '${at('kinds.parquet')}' (format parquet)`,
  );
  db.closeSync();
  writeFileSync(at('fees.csv'), 'kind,fee,code\n1,10,007\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

await onEachBackend(({ repl }) => {
  async function answerTo(
    context: unknown,
    lines: readonly string[],
    limits: Partial<Limits> = SMALL,
  ): Promise<unknown> {
    const model = scriptedModel(({ prompt, callIndex }: ScriptedRequest): string => {
      if (callIndex > 0) throw new Error(prompt);
      return cell(...lines);
    });
    const rlm = createRlm({ repl, model, limits });
    try {
      return JSON.parse((await rlm.completion({ query: 'q', context: context as string })).text);
    } finally {
      await rlm.close();
    }
  }
  const all = (): ReturnType<typeof fromFiles> =>
    fromFiles(['orders.parquet', 'kinds.parquet', 'fees.csv'], { cwd: folder });

  describe.skipIf(NEEDS !== '')(`sql over a file that SQLite cannot hold${NEEDS}`, () => {
    it('is too large for this test', () => {
      expect(statSync(at('orders.parquet')).size).toBeGreaterThan(SMALL.sqlMemoryBytes / 8);
    });

    it('counts, joins and lists, with all digits, without the rows in the REPL', async () => {
      const found = await answerTo(all(), [
        'tables = {one["table"]: one["columns"] for one in sql.tables()}',
        'counts = sql("select k.name, count(*) as n from orders o join kinds k on k.kind = o.kind where o.id < ? group by 1 order by 1 limit 2", 70)',
        'total = sql("select max(large) as m from orders")[0]["m"]',
        'joined = sql("select f.fee, f.code, count(*) as n from orders o join fees f on f.kind = o.kind group by all")',
        'FINAL([tables, counts, str(total), sql("select fee from fees"), joined])',
      ]);
      expect(found).toEqual([
        { fees: ['kind', 'fee', 'code'], kinds: ['kind', 'name'], orders: ['id', 'kind', 'text', 'large'] },
        [
          { name: 'kind 0', n: 10 },
          { name: 'kind 1', n: 10 },
        ],
        String(9_007_199_254_740_993n + BigInt(ROWS - 1)),
        [{ fee: 10 }],
        [{ fee: 10, code: '007', n: Math.ceil((ROWS - 1) / 7) }],
      ]);
    });

    it('is `context` where it is the context, and never ends a run by its errors', async () => {
      const found = await answerTo(
        fromFile(at('orders.parquet')),
        [
          'def tried(statement, *values):',
          '    try:',
          '        return sql(statement, *values)',
          '    except Exception as error:',
          '        return [type(error).__name__, str(error)]',
          'mine = [{"kind": 1, "w": 2}]',
          'wide = [{"kind": n, "t": "x" * 20} for n in range(5000)]',
          'FINAL([tried("select count(*) as n from context where kind = :kind", {"kind": 1}), tried("select count(*) as n from orders where kind = $kind", {"kind": 1}), tried("select * from orders"), tried("delete from orders"), tried("select sum(m.w) as w from orders o join mine m using (kind)"), tried("select * from orders join nowhere using (kind)"), tried("select * from orders join wide using (kind)"), tried("select absent from orders")])',
        ],
        { ...SMALL, maxSqlRows: 10 },
      );
      const n = Math.ceil((ROWS - 1) / 7);
      expect(found).toEqual([
        ['SqlError', expect.stringMatching(/syntax error/i)],
        [{ n }],
        ['SqlError', expect.stringContaining('more than 10 rows (maxSqlRows)')],
        ['SqlError', expect.stringContaining('Can only delete from base table')],
        [{ w: 2 * n }],
        ['SqlError', 'no table nowhere beside orders. Tables: orders'],
        ['SqlError', expect.stringMatching(/^wide is too large to come along with a statement over a large file/)],
        ['SqlError', expect.stringContaining('absent')],
      ]);
    });
  });
});
