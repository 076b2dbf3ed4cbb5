import type { DatabaseSync } from 'node:sqlite';
import { defined } from '../../defined.ts';
import type { EventBody, RunEvent } from '../../event/event.ts';
import type { JsonValue } from '../../repl/port.ts';
import type { EventLog, JournalLog } from '../port.ts';
import type { Owners } from './owners.ts';
import type { TextTable } from './text-table.ts';

/** State that the tables of a store share. */
export interface TableContext {
  readonly database: DatabaseSync;
  readonly texts: TextTable;
  readonly owners: Owners;
  /** Submits a write. */
  readonly write: (write: () => void, durability: 'written' | 'synced') => Promise<void>;
  /** Runs a read that sees every write submitted before. */
  readonly read: <T>(read: () => T) => Promise<T>;
}

/** The events of all runs. */
export function sqliteEvents({ database, texts, owners, write, read }: TableContext): EventLog {
  const insert = database.prepare('INSERT INTO events (owner, seq, time, identity, body) VALUES (?, ?, ?, ?, ?)');
  const select = database.prepare(
    'SELECT seq, time, body FROM events WHERE owner = ? AND seq > ? ORDER BY seq LIMIT ?',
  );
  const last = database.prepare('SELECT max(seq) AS seq FROM events WHERE owner = ?');
  const identities = database.prepare('SELECT identity FROM events WHERE owner = ? AND identity IS NOT NULL');
  const cut = database.prepare('DELETE FROM events WHERE owner = ? AND seq >= ?');
  return {
    append(event, { identity, durability }) {
      return write(() => {
        const { runId, parentRunId, traceId, seq, time, ...body } = event;
        const owner = owners.add({ id: runId, trace: traceId, ...defined({ parent: parentRunId }) });
        insert.run(owner, seq, Date.parse(time), identity ?? null, texts.pack(body));
      }, durability);
    },
    read(runId, { after = 0, limit = -1 } = {}) {
      return read(() => {
        const owner = owners.find(runId);
        if (owner === undefined) return [];
        const { parent, trace } = owner;
        const cache = new Map<number, string>();
        const base = { v: 1 as const, runId, ...defined({ parentRunId: parent }), traceId: trace ?? runId };
        return select.all(owner.no, after, limit).map((row): RunEvent => {
          const body = texts.unpack(String(row.body), cache) as EventBody & { readonly v: 1 };
          // One copy for each event: a page reads tens of thousands of them at once.
          return Object.assign({ ...base, seq: Number(row.seq), time: new Date(Number(row.time)).toISOString() }, body);
        });
      });
    },
    tail(runId) {
      return read(() => {
        const owner = owners.find(runId)?.no ?? -1;
        const lastSeq = Number(last.get(owner)?.seq ?? 0);
        return { lastSeq, identities: identities.all(owner).map((row) => String(row.identity)) };
      });
    },
    truncate(runId, seq) {
      return write(() => void cut.run(owners.find(runId)?.no ?? -1, seq), 'synced');
    },
  };
}

/** The journals of all run trees and sessions. */
export function sqliteJournal({ database, texts, owners, write, read }: TableContext): JournalLog {
  const insert = database.prepare('INSERT INTO journal (owner, kind, key, body) VALUES (?, ?, ?, ?)');
  const select = database.prepare('SELECT kind, key, body FROM journal WHERE owner = ? ORDER BY n');
  return {
    append(journalId, { kind, key, body }, durability) {
      return write(() => void insert.run(owners.add({ id: journalId }), kind, key, texts.pack(body)), durability);
    },
    read(journalId) {
      return read(() => {
        const cache = new Map<number, string>();
        return select.all(owners.find(journalId)?.no ?? -1).map((row) => ({
          kind: String(row.kind),
          key: String(row.key),
          body: texts.unpack(String(row.body), cache) as JsonValue,
        }));
      });
    },
  };
}
