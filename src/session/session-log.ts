import type { JsonValue } from '../repl/port.ts';
import type { Store } from '../store/index.ts';

/** What changed a session's REPL, in order: done again, it brings the session back. */
export type SessionOperation =
  | { readonly op: 'execute'; readonly code: string }
  | { readonly op: 'bash'; readonly command: string }
  | { readonly op: 'set'; readonly name: string; readonly value: JsonValue }
  | { readonly op: 'completion'; readonly runId: string }
  | { readonly op: 'snapshot'; readonly name: string }
  | { readonly op: 'rollback'; readonly name: string }
  | { readonly op: 'delete-snapshot'; readonly name: string };

/** The log of a session's operations. */
export interface SessionLog {
  append(operation: SessionOperation): Promise<void>;
  read(): Promise<readonly SessionOperation[]>;
}

/** The log of a session in a store, beside the journal of what its own cells asked. */
export function sessionLog(store: Store, sessionId: string): SessionLog {
  const journalId = `${sessionId}/operations`;
  return {
    append: async (operation) => {
      // An operation is logged before it is done: after a crash it is done again, from the state before it.
      await store.journal.append(journalId, { kind: 'operation', key: operation.op, body: operation }, 'synced');
    },
    read: async () => (await store.journal.read(journalId)).map((entry) => entry.body as unknown as SessionOperation),
  };
}
