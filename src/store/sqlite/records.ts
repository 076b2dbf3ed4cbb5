import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { DEFAULT_LIST_LIMIT } from '../filter.ts';
import type { RunTable, SessionTable } from '../port.ts';
import type { RunFilter, RunRecord, RunStatus } from '../run-record.ts';
import type { SessionFilter, SessionRecord } from '../session-record.ts';
import type { TableContext } from './logs.ts';

type Row = Record<string, SQLOutputValue>;

/** Conditions of a query with their values. */
interface Where {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** @param isAlive whether a living process works on a run that its record calls running */
export function sqliteRuns(
  { database, texts, write, read }: TableContext,
  isAlive: (runId: string) => boolean,
): RunTable {
  const put = database.prepare(
    'INSERT OR REPLACE INTO runs (id, parent, trace, session, status, created, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const get = database.prepare('SELECT status, body FROM runs WHERE id = ?');
  const toRecord = (row: Row): RunRecord => {
    const record = texts.unpack(String(row.body), new Map()) as RunRecord;
    const status = String(row.status) as RunStatus;
    return { ...record, status: status === 'running' && !isAlive(record.id) ? 'interrupted' : status };
  };
  return {
    put(run) {
      return write(() => {
        const { id, parentRunId, traceId, sessionId, status, createdAt } = run;
        put.run(id, parentRunId ?? null, traceId, sessionId ?? null, status, createdAt, texts.pack(run));
      }, 'written');
    },
    get(id) {
      return read(() => {
        const row = get.get(id);
        return row === undefined ? undefined : toRecord(row);
      });
    },
    list(filter = {}) {
      return read(() => {
        const { sql, values } = runsWhere(filter);
        const statuses = listOf(filter.status);
        const text = filter.text?.toLowerCase();
        const found: RunRecord[] = [];
        for (const row of database
          .prepare(`SELECT status, body FROM runs ${sql} ORDER BY created DESC, id DESC`)
          .iterate(...values)) {
          if (found.length >= (filter.limit ?? DEFAULT_LIST_LIMIT)) break;
          const run = toRecord(row);
          if (statuses !== undefined && !statuses.includes(run.status)) continue;
          if (text === undefined || run.request.query.toLowerCase().includes(text)) found.push(run);
        }
        return found;
      });
    },
  };
}

export function sqliteSessions({ database, texts, write, read }: TableContext): SessionTable {
  const put = database.prepare(
    'INSERT OR REPLACE INTO sessions (id, state, created, expires, body) VALUES (?, ?, ?, ?, ?)',
  );
  const get = database.prepare('SELECT body FROM sessions WHERE id = ?');
  const remove = database.prepare('DELETE FROM sessions WHERE id = ?');
  const toRecord = (row: Row): SessionRecord => texts.unpack(String(row.body), new Map()) as SessionRecord;
  return {
    put(session) {
      return write(() => {
        const { id, state, createdAt, expiresAt } = session;
        put.run(id, state, createdAt, expiresAt, texts.pack(session));
      }, 'synced');
    },
    get(id) {
      return read(() => {
        const row = get.get(id);
        return row === undefined ? undefined : toRecord(row);
      });
    },
    list(filter = {}) {
      return read(() => {
        const { sql, values } = sessionsWhere(filter);
        const limit = filter.limit ?? DEFAULT_LIST_LIMIT;
        const select = database.prepare(`SELECT body FROM sessions ${sql} ORDER BY created DESC, id DESC LIMIT ?`);
        return select.all(...values, limit).map(toRecord);
      });
    },
    delete(id) {
      return write(() => void remove.run(id), 'synced');
    },
  };
}

/** Status is left to the caller: what a stored one means depends on whether its process lives. */
function runsWhere({ sessionId, parentRunId, traceId, since, rootsOnly }: RunFilter): Where {
  return where([
    ['session = ?', sessionId],
    ['parent = ?', parentRunId],
    ['trace = ?', traceId],
    ['created >= ?', since],
    ['parent IS NULL AND ?', rootsOnly === true ? 1 : undefined],
  ]);
}

function sessionsWhere({ state, expiredAt }: SessionFilter): Where {
  const states = listOf(state);
  return where([
    ['state IN (SELECT value FROM json_each(?))', states === undefined ? undefined : JSON.stringify(states)],
    ['expires <= ?', expiredAt],
  ]);
}

function where(conditions: readonly (readonly [string, SQLInputValue | undefined])[]): Where {
  const given = conditions.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]));
  if (given.length === 0) return { sql: '', values: [] };
  return { sql: `WHERE ${given.map(({ sql }) => `(${sql})`).join(' AND ')}`, values: given.map(({ value }) => value) };
}

function listOf<T extends string>(value: T | readonly T[] | undefined): readonly T[] | undefined {
  return typeof value === 'string' ? [value] : value;
}
