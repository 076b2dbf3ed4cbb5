/**
 * The tables that `sql` finds in contexts, by the names that it gives them.
 *
 * @module
 */
import { isObject } from '../argument-checks.ts';
import type { DocumentValue, ReplValue } from '../repl/port.ts';
import type { LoadedContext } from './input.ts';
import type { ContextSet } from './load.ts';
import { OwnNames, sqlName, stemOf } from './sql-names.ts';

/** Kinds of documents that are tables or hold some, and those that may, as the guest knows them (`sql_catalog.py`). */
const SURE: ReadonlySet<string> = new Set(['csv', 'tsv', 'jsonl', 'subtitles', 'xlsx', 'ods', 'parquet', 'sqlite']);
const MAYBE: ReadonlySet<string> = new Set(['json', 'html', 'docx', 'odt', 'pptx', 'odp', 'epub', 'eml']);
/** Kinds that hold a table for each sheet: their names are known once they are converted. */
const SHEETS: ReadonlySet<string> = new Set(['xlsx', 'ods', 'sqlite']);
/** Kinds of text by the ends of names, as the guest takes them. */
const ENDS: Readonly<Record<string, string>> = {
  ...{ csv: 'csv', tsv: 'tsv', tab: 'tsv', json: 'json', jsonl: 'jsonl', ndjson: 'jsonl' },
  ...{ html: 'html', htm: 'html', srt: 'subtitles', vtt: 'subtitles' },
};

/** A table in `sql`. */
interface SqlTable {
  /** The name; of a file whose sheets are not known, the beginning of their names. */
  readonly name: string;
  readonly isBeginning: boolean;
}

interface Found {
  readonly path: string;
  readonly kind: string;
  /** Names of its tables; undefined where they are not known yet. */
  readonly tables: readonly string[] | undefined;
}

/** The tables of contexts, in order. `variables` are the names of the contexts. */
export function sqlTables(contexts: ContextSet): readonly SqlTable[] {
  const named: readonly (readonly [string, LoadedContext])[] =
    contexts.kind === 'one' ? [['context', contexts.context]] : [...contexts.contexts];
  const found = named.flatMap(([, context]) => documentsIn(context.value));
  const names = new OwnNames();
  const tables = found.flatMap((one): readonly SqlTable[] => {
    const stem = names.give(stemOf(one.path));
    return SURE.has(one.kind) || found.length === 1 ? tablesOf(one, stem) : [];
  });
  const lists = named.filter(([, context]) => isListOfDicts(context)).map(([name]) => ({ name, isBeginning: false }));
  return [...tables, ...lists];
}

function tablesOf({ kind, tables }: Found, stem: string): readonly SqlTable[] {
  if (tables === undefined) return [{ name: stem, isBeginning: SHEETS.has(kind) }];
  if (tables.length === 1) return [{ name: stem, isBeginning: false }];
  const own = new OwnNames();
  return tables.map((table) => ({ name: own.give(`${stem}_${sqlName(table)}`), isBeginning: false }));
}

function documentsIn(value: ReplValue): readonly Found[] {
  if (value.kind === 'document') {
    const facts = isObject(value.facts) ? value.facts : {};
    const kind = typeof facts.kind === 'string' ? facts.kind : kindByName(value.path);
    const tables = Array.isArray(facts.tables) ? facts.tables.map((table) => String(table?.name)) : undefined;
    return wanted({ path: value.path, kind, tables });
  }
  return value.kind === 'documents' ? value.documents.flatMap(inList) : [];
}

function inList({ path, content, about }: DocumentValue): readonly Found[] {
  if (content.kind === 'file' && content.as === 'bytes' && content.converts === undefined) return [];
  const stated = about?.meta?.kind;
  const converts = content.kind === 'file' ? content.converts : undefined;
  const kind = typeof stated === 'string' ? stated : (converts ?? kindByName(path));
  return wanted({ path, kind, tables: undefined });
}

function wanted(found: Found): readonly Found[] {
  return SURE.has(found.kind) || MAYBE.has(found.kind) ? [found] : [];
}

function kindByName(path: string): string {
  const end = /\.([^./]*)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(ENDS, end) ? (ENDS[end] ?? 'text') : 'text';
}

/** A JSON list whose items are dicts is a table under the name of its variable. */
function isListOfDicts({ value, type, shape }: LoadedContext): boolean {
  return value.kind === 'json' && type === 'list' && (shape ?? '').startsWith('items: dict');
}
