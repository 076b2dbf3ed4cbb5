/**
 * The process of a statement over files: reads a request from standard input, runs it in DuckDB, writes the outcome.
 *
 * @module
 */
import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import type { SmallTable, StatementFailure, StatementRequest, StatementValue } from '../duckdb/statement.ts';
import { SQL_RESULT_BYTES, SQL_THREADS } from '../limits.ts';
import { createTable, quoted } from './sql-tables.ts';
import { cellValue } from './values.ts';

/** The library, which the caller of the process has found. */
type DuckDb = typeof import('@duckdb/node-api');

/** Nothing but the tables: no other file, no network, no extension, and no way to allow them. */
const CONFIG = {
  threads: String(SQL_THREADS),
  temp_directory: '',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
  allow_unsigned_extensions: 'false',
};

class StatementError extends Error {}

async function open(duckdb: DuckDb, { tables, memoryBytes, small = [] }: StatementRequest): Promise<DuckDBConnection> {
  const config = { ...CONFIG, memory_limit: `${Math.max(1, Math.floor(memoryBytes / 1_048_576))}MiB` };
  const instance = await duckdb.DuckDBInstance.create(':memory:', config);
  const connection = await instance.connect();
  const paths = tables.map(({ path }) => `'${path}'`).join(', ');
  await connection.run(`set allowed_paths = [${paths}]`);
  for (const table of tables) await createTable(connection, table);
  for (const table of small) await createSmallTable(connection, table);
  await connection.run('set enable_external_access = false');
  await connection.run('set lock_configuration = true');
  return connection;
}

async function createSmallTable(connection: DuckDBConnection, { name, columns, rows }: SmallTable): Promise<void> {
  const declared = columns.map((column) => `${quoted(column.name)} ${column.type}`);
  await connection.run(`create table ${quoted(name)} (${declared.join(', ')})`);
  const insert = await connection.prepare(`insert into ${quoted(name)} values (${columns.map(() => '?').join(', ')})`);
  for (const row of rows) {
    for (const [at, value] of row.entries()) bind(insert, at + 1, value);
    await insert.run();
  }
}

async function prepare(
  duckdb: DuckDb,
  connection: DuckDBConnection,
  { text, values }: StatementRequest,
): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(text);
  if (statements.count !== 1) throw new StatementError(`sql takes one statement, not ${statements.count}`);
  const prepared = await statements.prepare(0);
  if (prepared.statementType !== duckdb.StatementType.SELECT)
    throw new StatementError('sql reads tables and does nothing else: use SELECT');
  const given = Array.isArray(values)
    ? values.map((value, at) => [at + 1, value] as const)
    : Object.entries(values as Readonly<Record<string, StatementValue>>).map(
        ([name, value]) => [prepared.parameterIndex(name), value] as const,
      );
  if (given.length !== prepared.parameterCount)
    throw new StatementError(`the statement takes ${prepared.parameterCount} values, and ${given.length} are given`);
  for (const [index, value] of given) bind(prepared, index, value);
  return prepared;
}

function bind(prepared: DuckDBPreparedStatement, index: number, value: StatementValue): void {
  if (value.type === 'null') prepared.bindNull(index);
  else if (value.type === 'integer') bindInteger(prepared, index, BigInt(value.digits));
  else if (value.type === 'number') prepared.bindDouble(index, value.value);
  else if (value.type === 'text') prepared.bindVarchar(index, value.value);
  else prepared.bindBoolean(index, value.value);
}

function bindInteger(prepared: DuckDBPreparedStatement, index: number, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) prepared.bindBigInt(index, value);
  else prepared.bindVarchar(index, String(value));
}

async function outcome(request: StatementRequest): Promise<string> {
  const duckdb = createRequire(import.meta.url)(request.library) as DuckDb;
  const connection = await open(duckdb, request);
  const prepared = await prepare(duckdb, connection, request);
  const result = await prepared.stream();
  const rows: string[] = [];
  let bytes = 0;
  for await (const chunk of result.yieldRowsJs()) {
    for (const row of chunk) {
      const line = JSON.stringify(row.map((value) => cellValue(value)));
      bytes += line.length;
      if (rows.length >= request.maxRows)
        throw new StatementError(
          `the result has more than ${request.maxRows} rows (maxSqlRows): add a condition, count in SQL, or read it in pages with limit and offset`,
        );
      if (bytes > SQL_RESULT_BYTES)
        throw new StatementError(
          `the result has more than ${SQL_RESULT_BYTES / 1_048_576} MiB: select fewer columns or rows`,
        );
      rows.push(line);
    }
  }
  return `{"columns":${JSON.stringify(result.columnNames())},"rows":[${rows.join(',')}]}`;
}

function failure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const memory = /^Out of Memory Error|bad_alloc/.test(message);
  return JSON.stringify({ error: memory ? 'memory' : 'statement', message } satisfies StatementFailure);
}

const request = JSON.parse(readFileSync(0, 'utf8')) as StatementRequest;
const written = Buffer.from(await outcome(request).catch(failure));
for (let at = 0; at < written.length; ) at += writeSync(1, written, at);
process.exit(0);
