import { DEFAULT_LIST_LIMIT } from '../filter.ts';
import type { RunTable, SessionTable } from '../port.ts';
import type { RunFilter, RunRecord, RunStatus } from '../run-record.ts';
import type { SessionFilter, SessionRecord } from '../session-record.ts';
import type { Access, Query } from './query.ts';

interface RunRow {
  readonly id: string;
  readonly created: string;
  readonly status: RunStatus;
  readonly body: string;
}

/** Records read at once by a search for a text. */
const SEARCHED_AT_ONCE = 500;

/** The status of a run: one that is called running while its owner's lease has ended is interrupted. */
const STATUS = `
  CASE WHEN status = 'running' AND NOT EXISTS (
    SELECT 1 FROM locks JOIN owners ON owners.id = locks.owner
    WHERE locks.name = 'run ' || runs.id AND owners.expires > clock_timestamp()
  ) THEN 'interrupted' ELSE status END AS status`;

export function postgresRuns({ write, read }: Access): RunTable {
  return {
    put(run) {
      const { id, parentRunId = null, traceId, sessionId = null, status, createdAt } = run;
      const text = `
        INSERT INTO runs (id, parent, trace, session, status, created, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (id) DO UPDATE SET parent = excluded.parent, trace = excluded.trace, session = excluded.session,
          status = excluded.status, created = excluded.created, body = excluded.body`;
      const values = [id, parentRunId, traceId, sessionId, status, createdAt, JSON.stringify(run)];
      return write({ text, values });
    },
    async get(id) {
      const [row] = await read<RunRow>({ text: `SELECT body, ${STATUS} FROM runs WHERE id = $1`, values: [id] });
      return row === undefined ? undefined : toRecord(row);
    },
    async list(filter = {}) {
      const limit = filter.limit ?? DEFAULT_LIST_LIMIT;
      const text = filter.text?.toLowerCase();
      const page = text === undefined ? limit : SEARCHED_AT_ONCE;
      const found: RunRecord[] = [];
      let before: RunRow | undefined;
      // Which letters are alike is decided here, as by the other stores.
      do {
        const rows: readonly RunRow[] = await read<RunRow>(runsWhere(filter, before, page));
        before = rows.length < page ? undefined : rows.at(-1);
        found.push(...rows.map(toRecord).filter((run) => text === undefined || asks(run, text)));
      } while (before !== undefined && found.length < limit);
      return found.slice(0, limit);
    },
  };
}

function runsWhere(filter: RunFilter, before: RunRow | undefined, limit: number): Query {
  const { sessionId, parentRunId, traceId, since, rootsOnly } = filter;
  const conditions = [
    ['status = ANY ($?)', listOf(filter.status)],
    ['session = $?', sessionId],
    ['parent = $?', parentRunId],
    ['trace = $?', traceId],
    ['created >= $?', since],
    ['(parent IS NULL) = $?', rootsOnly === true ? true : undefined],
  ] as const;
  const given: Condition[] = conditions.flatMap(([sql, value]) =>
    value === undefined ? [] : [{ sql, values: [value] }],
  );
  if (before !== undefined) given.push({ sql: '(created, id) < ($?, $?)', values: [before.created, before.id] });
  const columns = 'SELECT id, parent, trace, session, created, body,';
  return where(`SELECT id, created, status, body FROM (${columns} ${STATUS} FROM runs) AS runs`, given, limit);
}

interface Condition {
  /** With `$?` for each value. */
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** A selection under conditions, newest first. */
function where(select: string, conditions: readonly Condition[], limit: number): Query {
  const values: unknown[] = [];
  const parts = conditions.map(({ sql, values: own }) => {
    let at = 0;
    return sql.replaceAll('$?', () => `$${values.push(own[at++])}`);
  });
  const filter = parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`;
  return { text: `${select} ${filter} ORDER BY created DESC, id DESC LIMIT $${values.push(limit)}`, values };
}

function asks(run: RunRecord, text: string): boolean {
  return run.request.query.toLowerCase().includes(text);
}

function toRecord({ status, body }: Pick<RunRow, 'status' | 'body'>): RunRecord {
  return { ...(JSON.parse(body) as RunRecord), status };
}

export function postgresSessions({ write, read }: Access): SessionTable {
  const toSession = (row: { readonly body: string }): SessionRecord => JSON.parse(row.body) as SessionRecord;
  return {
    put(session) {
      const text = `
        INSERT INTO sessions (id, state, created, expires, body) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE SET state = excluded.state, created = excluded.created, expires = excluded.expires,
          body = excluded.body`;
      const { id, state, createdAt, expiresAt } = session;
      return write({ text, values: [id, state, createdAt, expiresAt, JSON.stringify(session)] });
    },
    async get(id) {
      const [row] = await read<{ body: string }>({ text: 'SELECT body FROM sessions WHERE id = $1', values: [id] });
      return row === undefined ? undefined : toSession(row);
    },
    list: async (filter = {}) => (await read<{ body: string }>(sessionsWhere(filter))).map(toSession),
    delete: (id) => write({ text: 'DELETE FROM sessions WHERE id = $1', values: [id] }),
  };
}

function sessionsWhere({ state, expiredAt, limit = DEFAULT_LIST_LIMIT }: SessionFilter): Query {
  const states = listOf(state);
  const conditions = [
    ...(states === undefined ? [] : [{ sql: 'state = ANY ($?)', values: [states] }]),
    ...(expiredAt === undefined ? [] : [{ sql: 'expires <= $?', values: [expiredAt] }]),
  ];
  return where('SELECT body FROM sessions', conditions, limit);
}

function listOf<T extends string>(value: T | readonly T[] | undefined): readonly T[] | undefined {
  return typeof value === 'string' ? [value] : value;
}
