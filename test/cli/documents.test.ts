/** Documents from the command line: a contract, a mail archive, a workbook, a source tree, a table, each with a right answer. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { utils, write } from 'xlsx';
import { workingForm } from '../../src/convert/converter-walls.ts';
import { makePdf } from '../documents/made-files.ts';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { runFathom } from './run-fathom.ts';

/** Pages of the contract, mails of the archive, rows of the table. The full form (`npm run soak`): 300, 20 000, 10 000 000. */
const PAGES = Number(process.env.FATHOM_CONTRACT_PAGES ?? 300);
const MAILS = Number(process.env.FATHOM_MAILS ?? 2_000);
const ROWS = Number(process.env.FATHOM_PARQUET_ROWS ?? 400_000);

let folder = '';
let mock: MockProvider;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-cli-documents-'));
  mock = await startMockProvider({ respond: () => 'FINAL(no)' });
});
afterAll(async () => {
  await mock.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The answer of a model that runs this code once, and the first message that it read. */
async function ask(path: string, code: string, ...options: readonly string[]) {
  let seen = '';
  mock.respondWith(({ prompt }) => {
    if (seen !== '') return `FINAL(a second turn: ${prompt})`;
    seen = prompt;
    return `\`\`\`repl\n${code}\n\`\`\``;
  });
  const {
    code: exit,
    stdout,
    stderr,
  } = await runFathom(['ask', 'Q', '-m', 'openai/gpt-5-mini', '-f', path, ...options], {
    cwd: folder,
    env: { ...mock.env, FATHOM_CACHE_DIR: join(folder, 'cache') },
  });
  if (exit !== 0) throw new Error(stderr);
  return { answer: stdout.trim(), seen };
}

test('a contract PDF: the page of a clause, and what it says', async () => {
  const special = Math.ceil(PAGES * 0.7);
  const pages = Array.from({ length: PAGES }, (_, at) => [
    `Section ${at + 1}`,
    at + 1 === special ? 'The termination fee is 45 000 EUR.' : `Clause ${at + 1} has no fee.`,
    ...Array.from({ length: 20 }, (_line, line) => `Paragraph ${line} of section ${at + 1} binds both parties.`),
  ]);
  writeFileSync(join(folder, 'contract.pdf'), await makePdf(pages));
  const { answer, seen } = await ask(
    'contract.pdf',
    `import re
found = [(n, re.search(r"termination fee is (.*) EUR", page)) for n, page in enumerate(context.pages, 1)]
FINAL("; ".join(f"page {n} of {len(context.pages)}: {m[1]}" for n, m in found if m))`,
  );
  expect(answer).toBe(`page ${special} of ${PAGES}: 45 000`);
  expect(seen).toContain('text of `contract.pdf` (PDF, ');
  expect(seen).toContain(`\`.pages\` (list of ${PAGES} str)`);
}, 120_000);

test('a mail archive: who wrote most, and the subject of one mail', async () => {
  const mails = Array.from({ length: MAILS }, (_, at) => {
    const from = at % 3 === 0 ? 'Ann <ann@example.org>' : `user${at % 50}@example.org`;
    const subject = at === MAILS - 5 ? '=?utf-8?q?Gr=C3=BC=C3=9Fe?=' : `Mail ${at}`;
    const head = `From x@example.org Sat Nov 28 10:00:00 2026\nFrom: ${from}\nTo: list@example.org\nSubject: ${subject}\n`;
    return `${head}Date: Sat, 28 Nov 2026 10:00:00 +0000\n\nText of mail ${at}.\n>From here on quoted.\n\n`;
  });
  writeFileSync(join(folder, 'list.mbox'), mails.join(''));
  const { answer, seen } = await ask(
    'list.mbox',
    `from collections import Counter
who, count = Counter(mail.meta["from"] for mail in context).most_common(1)[0]
last = context[-5]
FINAL(f"{len(context)} mails; {count} by {who}; {last.title}; {'From here on quoted.' in last.text}")`,
  );
  expect(answer).toBe(`${MAILS} mails; ${Math.ceil(MAILS / 3)} by Ann <ann@example.org>; Grüße; True`);
  expect(seen).toContain(`${MAILS} messages, each with its subject as \`.title\``);
}, 300_000);

test('a workbook: a sum over its rows', async () => {
  const rows = Array.from({ length: 500 }, (_, at) => [`item ${at}`, at % 7, at % 2 === 0 ? 'north' : 'south']);
  const book = utils.book_new();
  utils.book_append_sheet(book, utils.aoa_to_sheet([['Item', 'Units', 'Region'], ...rows]), 'Sales');
  writeFileSync(join(folder, 'sales.xlsx'), write(book, { type: 'buffer', bookType: 'xlsx' }) as Buffer);
  const { answer, seen } = await ask(
    'sales.xlsx',
    'FINAL(sum(row["Units"] for row in context.tables["Sales"] if row["Region"] == "north"))',
  );
  const expected = rows.reduce((sum, [, units, region]) => sum + (region === 'north' ? Number(units) : 0), 0);
  expect(answer).toBe(String(expected));
  expect(seen).toContain('`Sales` of 500 rows with `Item`, `Units`, `Region`');
});

test('a source tree with a document in it: code stays code, the document is converted', async () => {
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'src'), { recursive: true });
  for (let at = 0; at < 40; at += 1) writeFileSync(join(tree, 'src', `m${at}.ts`), `export function f${at}() {}\n`);
  writeFileSync(join(tree, 'page.html'), '<!doctype html><p>template {{name}}</p>');
  writeFileSync(join(tree, 'spec.pdf'), await makePdf([['Requirement R7: fast.']]));
  writeFileSync(join(tree, 'broken.pdf'), '%PDF-1.7 broken');
  const { answer, seen } = await ask(
    'tree',
    `functions = sum(d.text.count("export function") for d in context if d.path.endswith(".ts"))
FINAL(f'{functions} {"<p>" in context["tree/page.html"].text} {search("R[0-9]")[0]["document"]}')`,
  );
  expect(answer).toBe('40 True tree/spec.pdf');
  expect(seen).toContain('43 files, ');
  expect(seen).toContain('converted when a cell uses them: PDF 2');
});

const noWalls = workingForm() === undefined;
test.skipIf(noWalls)(
  `a Parquet file that no REPL holds${noWalls ? ' (skipped: bubblewrap does not work here)' : ''}`,
  async () => {
    mkdirSync(join(folder, 'data'));
    const db = await (await DuckDBInstance.create(':memory:')).connect();
    await db.run(`copy (select range as id, range % 7 as kind, hash(range) as mark from range(${ROWS}))
    to '${join(folder, 'data', 'orders.parquet')}' (format parquet, compression uncompressed)`);
    db.closeSync();
    const { answer, seen } = await ask(
      'data',
      `rows = sql("select count(*) as n, sum(id) as total, count(distinct mark) as marks from orders where kind = ?", 3)
FINAL("{n} rows, {total}, {marks}".format(**rows[0]))`,
      ...['--limit', `sqlMemoryBytes=${Math.min(256, Math.ceil(ROWS / 20_000)) * 1_048_576}`],
    );
    // The ids 3, 10, 17, …
    const count = BigInt(Math.ceil((ROWS - 3) / 7));
    expect(answer).toBe(`${count} rows, ${3n * count + (7n * count * (count - 1n)) / 2n}, ${count}`);
    expect(seen).toContain('Tables for `sql`: `orders`.');
  },
  300_000,
);

test('a document that cannot be read is named before anything is spent', async () => {
  writeFileSync(join(folder, 'cut.docx'), Buffer.from('PK\u0003\u0004 word/document.xml', 'latin1'));
  const before = mock.calls.length;
  const args = ['ask', 'Q', '-m', 'openai/gpt-5-mini', '-f', 'cut.docx'];
  const { code, stdout, stderr } = await runFathom(args, { cwd: folder, env: mock.env });
  expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
  expect(stderr).toContain('cut.docx cannot be used: it is a Word document that cannot be read: it is damaged');
  expect(mock.calls.length).toBe(before);
});

test('fathom cache clear deletes what was converted', async () => {
  writeFileSync(join(folder, 'page.html'), '<!doctype html><p>Page');
  const cache = join(folder, 'cache-to-clear');
  const env = { ...mock.env, FATHOM_CACHE_DIR: cache };
  mock.respondWith(() => '```repl\nFINAL(context.text)\n```');
  const { stdout } = await runFathom(['ask', 'Q', '-m', 'openai/gpt-5-mini', '-f', 'page.html'], { cwd: folder, env });
  expect(stdout).toBe('Page\n');
  expect(readdirSync(join(cache, 'conversions'))).toHaveLength(1);
  const cleared = await runFathom(['cache', 'clear'], { env });
  expect(cleared.stdout).toBe(`1 converted document deleted in ${join(cache, 'conversions')}\n`);
  expect(readdirSync(join(cache, 'conversions'))).toEqual([]);
});
