/**
 * Documents: processor time and memory of a conversion, beside the library alone in a process of its own.
 *
 * Run: `node bench/documents.bench.ts`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { utils, write } from 'xlsx';
import type { ConvertedKind } from '../src/convert/kinds.ts';
import { makePdf } from '../test/documents/made-files.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A kind: its file, and a script that reads the file `path` by the library alone. */
interface Case {
  readonly kind: ConvertedKind;
  readonly name: string;
  readonly make: (path: string) => Promise<void> | void;
  readonly alone: string;
}

const ROWS = Array.from({ length: 20_000 }, (_, at) => [`item ${at}`, at, at / 7, at % 2 === 0]);
const HTML = `<!doctype html><title>T</title>${'<p>Some <b>words</b> and a <a href="https://example.org">link</a>.</p>'.repeat(40_000)}`;
const MAIL = (at: number): string =>
  `From x@y Sat Nov 28 10:00:00 2026\nFrom: a${at}@example.org\nTo: b@example.org\nSubject: Mail ${at}\n\nText of mail ${at}.\n\n`;

const CASES: readonly Case[] = [
  {
    kind: 'pdf',
    name: 'PDF of 300 pages',
    make: async (path) => {
      const page = Array.from({ length: 30 }, (_, at) => `Line ${at} of a page of a contract between the parties.`);
      writeFileSync(path, await makePdf(Array.from({ length: 300 }, () => page)));
    },
    alone: `const { extractText, getDocumentProxy } = await import('unpdf');
      await extractText(await getDocumentProxy(new Uint8Array(readFileSync(path))));`,
  },
  {
    kind: 'xlsx',
    name: 'XLSX of 20 000 rows',
    make: (path) => {
      const book = utils.book_new();
      utils.book_append_sheet(book, utils.aoa_to_sheet([['a', 'b', 'c', 'd'], ...ROWS]), 'S');
      writeFileSync(path, write(book, { type: 'buffer', bookType: 'xlsx' }) as Buffer);
    },
    alone: `const { read, utils } = (await import('xlsx')).default;
      const book = read(readFileSync(path)); utils.sheet_to_json(book.Sheets.S);`,
  },
  {
    kind: 'parquet',
    name: 'Parquet of 200 000 rows',
    make: (path) => {
      const data = Array.from({ length: 200_000 }, (_, at) => at);
      const columnData = [
        { name: 'a', data, type: 'INT32' as const },
        { name: 'b', data: data.map((at) => `text ${at % 1_000}`), type: 'STRING' as const },
      ];
      writeFileSync(path, Buffer.from(parquetWriteBuffer({ columnData })));
    },
    alone: `const { parquetReadObjects } = await import('hyparquet');
      const bytes = readFileSync(path); await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) });`,
  },
  {
    kind: 'mbox',
    name: 'mailbox of 5 000 mails',
    make: (path) => writeFileSync(path, Array.from({ length: 5_000 }, (_, at) => MAIL(at)).join('')),
    alone: `const { default: PostalMime } = await import('postal-mime');
      for (const mail of readFileSync(path, 'utf8').split(/^From .*\\n/m).slice(1)) await PostalMime.parse(mail);`,
  },
  {
    kind: 'html',
    name: 'HTML of 3 MB',
    make: (path) => writeFileSync(path, HTML),
    alone: `const { Parser } = await import('htmlparser2');
      let text = ''; const parser = new Parser({ ontext: (piece) => { text += piece; } }); parser.end(readFileSync(path, 'utf8'));`,
  },
  {
    kind: 'sqlite',
    name: 'SQLite of 100 000 rows',
    make: (path) => {
      const db = new DatabaseSync(path);
      db.exec('CREATE TABLE t (a INTEGER, b TEXT); BEGIN');
      const insert = db.prepare('INSERT INTO t VALUES (?, ?)');
      for (let at = 0; at < 100_000; at += 1) insert.run(at, `text ${at}`);
      db.exec('COMMIT');
      db.close();
    },
    alone: `const { DatabaseSync } = await import('node:sqlite');
      new DatabaseSync(path, { readOnly: true }).prepare('SELECT * FROM t').all();`,
  },
];

/** Runs a program and prints the processor seconds and the largest memory of it and all that it started. */
const MEASURE = `
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
`;

interface Cost {
  readonly seconds: number;
  readonly mib: number;
}

function measured(script: string, env: Readonly<Record<string, string>> = {}): Cost {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  const options = { cwd: ROOT, env: { ...process.env, ...env }, encoding: 'utf8' } as const;
  const [seconds = 0, mib = 0] = execFileSync('python3', ['-c', MEASURE, ...node], options)
    .split(' ')
    .map(Number);
  return { seconds, mib };
}

const shown = ({ seconds, mib }: Cost): string =>
  `${seconds.toFixed(2).padStart(6)} s ${mib.toFixed(0).padStart(5)} MiB`;

/**
 * Processor seconds and the memory of the largest process, each with the start of Node: the library alone; a process that starts the
 * converter and drops its result, without namespaces, which hide what it used; the host that keeps the result; the host that finds it kept.
 */
export async function benchDocuments(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-bench-'));
  const source = (name: string): string => pathToFileURL(join(ROOT, 'src/convert', name)).href;
  console.log(`${''.padEnd(26)}  library alone      converter          host               from the cache`);
  try {
    for (const { kind, name, make, alone } of CASES) {
      const path = join(folder, kind);
      await make(path);
      const target = JSON.stringify(path);
      const floor = measured(`import { readFileSync } from 'node:fs'; const path = ${target};\n${alone}`);
      const converter = measured(`import { openSync } from 'node:fs'; import { once } from 'node:events';
        const { startConverter } = await import(${JSON.stringify(source('converter-walls.ts'))});
        const { converterCode } = await import(${JSON.stringify(source('converter-code.ts'))});
        const [fd, byPath] = [openSync(${target}, 'r'), ${kind === 'sqlite'}];
        const child = startConverter({ code: converterCode(), args: ['${kind}'], fd, byPath, namespaces: false });
        child.stdout.resume(); await once(child, 'close');`);
      const script = `const { convertFile } = await import(${JSON.stringify(source('convert-file.ts'))}); await convertFile({ path: ${target} }, '${kind}');`;
      const env = { FATHOM_CACHE_DIR: join(folder, 'cache') };
      const [first, second] = [measured(script, env), measured(script, env)];
      console.log(`${name.padEnd(26)} ${shown(floor)}  ${shown(converter)}  ${shown(first)}  ${shown(second)}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await benchDocuments();
