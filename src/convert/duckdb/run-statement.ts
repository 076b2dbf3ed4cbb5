/**
 * Runs a statement over files in DuckDB: in a process of its own, in namespaces, with the files of the statement and no other.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { ConversionError } from '../conversion-error.ts';
import { type ConverterCode, converterCode } from '../converter-code.ts';
import { startInWalls, type WorkingForm, workingForm } from '../converter-walls.ts';
import { CONVERTER_HEAP_MIB, SQL_FILES, SQL_PROCESS_MS, SQL_RESULT_BYTES } from '../limits.ts';
import { DUCKDB, type DuckDbPackages, findDuckDb, INSTALL_DUCKDB } from './duckdb-package.ts';
import type { Statement, StatementFailure, StatementRequest, TableForm } from './statement.ts';

/** An open file and its table. */
export interface StatementFile {
  readonly name: string;
  readonly form: TableForm;
  readonly fd: number;
}

/** A statement to run. */
export interface StatementRun extends Statement {
  readonly files: readonly StatementFile[];
  readonly timeoutMs: number;
}

/** Test switches. Default: the packages and the namespaces of this machine. */
interface StatementParts {
  readonly find?: () => DuckDbPackages | undefined;
  readonly form?: () => WorkingForm | undefined;
}

/** Where DuckDB's packages and the files are in the namespaces. */
const PACKAGES = '/duckdb/node_modules';
const FILES = '/tables';
/** The first descriptor of a file, behind that of the system call filter. */
const FIRST_FD = 9;
const PERMISSION = ['--permission', '--allow-addons', '--disallow-code-generation-from-strings'];

/**
 * The outcome as JSON, `columns` and `rows` or a {@link StatementFailure}: integers keep their digits.
 *
 * @throws ConversionError where DuckDB or the walls are missing, or the process fails
 */
export async function runStatement(
  run: StatementRun,
  { find = findDuckDb, form: findForm = workingForm }: StatementParts = {},
): Promise<string> {
  if (run.files.length > SQL_FILES) {
    throw new ConversionError(`a statement may name ${SQL_FILES} large files, and this one names ${run.files.length}`);
  }
  const packages = find();
  if (packages === undefined) {
    throw new ConversionError(
      `statements over files of this size need the package ${DUCKDB}: run \`${INSTALL_DUCKDB}\``,
    );
  }
  const form = findForm();
  if (form === undefined) {
    throw new ConversionError(
      'statements over files of this size run in namespaces of their own, and bubblewrap, which makes them, does not work on this machine',
    );
  }
  return await outcomeOf(startStatement(run, { form, packages, code: converterCode() }), run);
}

/** The namespaces of a process, the packages in them, and its code. */
interface Walls {
  readonly form: WorkingForm;
  readonly packages: DuckDbPackages;
  readonly code: ConverterCode;
}

/** Starts the process of a statement. */
export function startStatement({ files, ...run }: StatementRun, { form, packages, code }: Walls): ChildProcess {
  const script = join(dirname(code.script), `sql${code.script.endsWith('.ts') ? '.ts' : '.mjs'}`);
  const libraries = [...packages].map(([name, from]) => ({ from, to: `${PACKAGES}/${name}` }));
  const tables = files.map(({ name, form: of }, at) => ({ name, form: of, path: `${FILES}/${at}` }));
  const node = [
    ...PERMISSION,
    ...[...code.readable, PACKAGES].map((path) => `--allow-fs-read=${path}`),
    '--no-warnings',
    `--max-old-space-size=${CONVERTER_HEAP_MIB}`,
    script,
  ];
  const child = startInWalls({
    form,
    node,
    readable: code.readable,
    binds: [...libraries, ...tables.map(({ path }, at) => ({ from: `/proc/self/fd/${FIRST_FD + at}`, to: path }))],
    stdin: 'pipe',
    files: new Map(files.map(({ fd }, at) => [FIRST_FD + at, fd])),
  });
  const { text, values, memoryBytes, maxRows, small = [] } = run;
  const library = `${PACKAGES}/${DUCKDB}/lib/index.js`;
  send(child.stdin, { library, tables, text, values, memoryBytes, maxRows, small });
  return child;
}

function send(stdin: Writable | null, request: StatementRequest): void {
  // A process that ended at once has closed it: its end is reported by itself.
  stdin?.on('error', () => undefined);
  stdin?.end(JSON.stringify(request));
}

async function outcomeOf(child: ChildProcess, run: StatementRun): Promise<string> {
  const ms = Math.min(run.timeoutMs, SQL_PROCESS_MS);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, ms);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? '' : (signal ?? `exit code ${code}`)));
  });
  try {
    const [printed, reason] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
    const failure = await ended;
    if (late) return JSON.stringify({ error: 'timeout', message: `${ms / 1_000} s` } satisfies StatementFailure);
    if (failure === '') return printed;
    throw new ConversionError(`DuckDB failed (${failure}): ${reason.trim().split('\n').at(-1) || 'it gave no reason'}`);
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    await ended;
  }
}

/** The process bounds its result itself; a process that was taken over is bounded here. */
async function textOf(stream: Readable | null): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream ?? []) {
    bytes += (piece as Buffer).length;
    if (bytes > 2 * SQL_RESULT_BYTES) throw new ConversionError('the result of the statement is too large');
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces).toString('utf8');
}
