import type { JournalEntry } from '../store/port.ts';
import type { ChildBody } from './entries.ts';
import { placeOf, scopeOf } from './step-key.ts';

/** A child completion, as the journal of its tree knows it. */
export interface JournalChild {
  readonly runId: string;
  /** The key of the step that started it, which is the scope of everything in it. */
  readonly key: string;
  /** The scope it was started in: `''` for the root's. */
  readonly scope: string;
  /** The command that started it, e.g. `t3.0`. */
  readonly command: string;
}

/** The children of a tree, from the entries of its journal, in the order in which they were started. */
export function journalChildren(entries: readonly JournalEntry[]): readonly JournalChild[] {
  return entries
    .filter(({ kind }) => kind === 'child')
    .map(({ key, body }) => ({
      key,
      runId: (body as unknown as ChildBody).runId,
      scope: scopeOf(key),
      command: placeOf(key),
    }));
}
