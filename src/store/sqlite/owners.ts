import type { DatabaseSync } from 'node:sqlite';
import { defined } from '../../defined.ts';

/** Whose log it is: a run or a session. */
export interface Owner {
  readonly id: string;
  readonly parent?: string;
  readonly trace?: string;
}

/** Numbers that stand for runs and sessions in the rows of logs. */
export interface Owners {
  /** Runs inside a transaction. */
  add(owner: Owner): number;
  find(id: string): (Owner & { readonly no: number }) | undefined;
}

/** Remembered numbers; few runs are active at the same time. */
const REMEMBERED = 1000;

export function sqliteOwners(database: DatabaseSync, readOnly: boolean): Owners {
  const select = database.prepare('SELECT no, parent, trace FROM owners WHERE id = ?');
  const insert = readOnly
    ? select
    : database.prepare(
        `INSERT INTO owners (id, parent, trace) VALUES (?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET parent = coalesce(parent, excluded.parent), trace = coalesce(trace, excluded.trace)
         RETURNING no`,
      );
  const known = new Map<string, { readonly no: number; readonly whole: boolean }>();
  return {
    add({ id, parent, trace }) {
      const numbered = known.get(id);
      if (numbered !== undefined && (numbered.whole || trace === undefined)) return numbered.no;
      const no = Number(insert.get(id, parent ?? null, trace ?? null)?.no);
      if (known.size >= REMEMBERED) known.clear();
      known.set(id, { no, whole: trace !== undefined });
      return no;
    },
    find(id) {
      const row = select.get(id);
      if (row === undefined) return undefined;
      return { id, no: Number(row.no), ...defined({ parent: textOf(row.parent), trace: textOf(row.trace) }) };
    },
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
