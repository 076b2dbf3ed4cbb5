import type { RunEvent } from '../../event/event.ts';
import type { JsonValue } from '../../repl/port.ts';
import type { EventLog, JournalEntry, JournalLog } from '../port.ts';
import type { Access } from './query.ts';

/** The events of all runs. */
export function postgresEvents({ write, read }: Access): EventLog {
  return {
    append: (event, { identity }) =>
      write({ table: 'events', row: [event.runId, event.seq, identity ?? null, JSON.stringify(event)] }),
    async read(runId, { after = 0, limit } = {}) {
      const text = 'SELECT body FROM events WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT $3';
      const rows = await read<{ body: string }>({ text, values: [runId, after, limit ?? null] });
      return rows.map(({ body }) => JSON.parse(body) as RunEvent);
    },
    async tail(runId) {
      const text = 'SELECT seq, identity FROM events WHERE run = $1 ORDER BY seq';
      const rows = await read<{ seq: number; identity: string | null }>({ text, values: [runId] });
      const identities = rows.flatMap(({ identity }) => (identity === null ? [] : [identity]));
      return { lastSeq: rows.at(-1)?.seq ?? 0, identities };
    },
    truncate: (runId, seq) => write({ text: 'DELETE FROM events WHERE run = $1 AND seq >= $2', values: [runId, seq] }),
  };
}

/** The journals of all run trees and sessions. */
export function postgresJournal({ write, read }: Access): JournalLog {
  return {
    append: (journalId, { kind, key, body }) =>
      write({ table: 'journal', row: [journalId, kind, key, JSON.stringify(body)] }),
    async read(journalId) {
      const text = 'SELECT kind, key, body FROM journal WHERE owner = $1 ORDER BY n';
      const rows = await read<{ kind: string; key: string; body: string }>({ text, values: [journalId] });
      return rows.map(({ kind, key, body }): JournalEntry => ({ kind, key, body: JSON.parse(body) as JsonValue }));
    },
  };
}
