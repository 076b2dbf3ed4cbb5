import type { JsonValue } from '../repl/port.ts';
import type { RecordedModels } from '../resume/recorded-models.ts';
import type { Store } from '../store/index.ts';

/** What changed a session's REPL, in order: done again, it brings the session back. */
export type SessionOperation =
  | {
      readonly op: 'execute';
      readonly code: string;
      /** The models its calls went to. */
      readonly models: RecordedModels;
    }
  | { readonly op: 'bash'; readonly command: string }
  | { readonly op: 'set'; readonly name: string; readonly value: JsonValue }
  | { readonly op: 'completion'; readonly runId: string }
  | { readonly op: 'snapshot'; readonly name: string }
  | { readonly op: 'rollback'; readonly name: string }
  | { readonly op: 'delete-snapshot'; readonly name: string };

/** How a cell or a bash command of a session ended. */
export interface OperationEnd {
  readonly ok: boolean;
  readonly durationMs: number;
  /** It was interrupted, by its time limit or by whoever ran it: done again, it is given the time it had. */
  readonly cut: boolean;
  /** The REPL was killed and came back as it was before: it is not done again. */
  readonly restarted: boolean;
}

/** An operation with its end, where that was recorded. */
export interface LoggedOperation {
  readonly operation: SessionOperation;
  readonly end: OperationEnd | undefined;
}

/** The log of a session's operations. */
export interface SessionLog {
  append(operation: SessionOperation): Promise<void>;
  /** The end of the operation appended last. */
  ended(end: OperationEnd): Promise<void>;
  read(): Promise<readonly LoggedOperation[]>;
}

/** The log of a session in a store, beside the journal of what its own cells asked. */
export function sessionLog(store: Store, sessionId: string): SessionLog {
  const journalId = `${sessionId}/operations`;
  return {
    append: async (operation) => {
      // An operation is logged before it is done: after a crash it is done again, from the state before it.
      await store.journal.append(
        journalId,
        { kind: 'operation', key: operation.op, body: operation as unknown as JsonValue },
        'synced',
      );
    },
    ended: async (end) => {
      await store.journal.append(journalId, { kind: 'end', key: 'end', body: { ...end } }, 'written');
    },
    read: async () => {
      const operations: LoggedOperation[] = [];
      for (const { kind, body } of await store.journal.read(journalId)) {
        if (kind === 'operation') {
          operations.push({ operation: body as unknown as SessionOperation, end: undefined });
          continue;
        }
        const last = operations.pop();
        if (last !== undefined) operations.push({ ...last, end: body as unknown as OperationEnd });
      }
      return operations;
    },
  };
}
