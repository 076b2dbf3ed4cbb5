import type { JsonValue } from '../repl/port.ts';
import type { RecordedModels } from '../resume/recorded-models.ts';
import type { Store } from '../store/index.ts';
import type { RecordedTools } from './session-tools.ts';

/** The operations that changed a session's REPL. Replaying them in order restores the session. */
export type SessionOperation =
  | {
      readonly op: 'execute';
      readonly code: string;
      /** The models its calls went to. */
      readonly models: RecordedModels;
    }
  | { readonly op: 'bash'; readonly command: string }
  | { readonly op: 'set'; readonly name: string; readonly value: JsonValue }
  /** `tools`: those the completion had of its own. */
  | { readonly op: 'completion'; readonly runId: string; readonly tools?: RecordedTools }
  | { readonly op: 'snapshot'; readonly name: string }
  | { readonly op: 'rollback'; readonly name: string }
  | { readonly op: 'delete-snapshot'; readonly name: string };

/** How an operation of a session ended, completions apart: their runs have a record of their own. */
export interface OperationEnd {
  readonly ok: boolean;
  /** Class of the error a cell raised, or code of the error that an operation threw. */
  readonly errorType?: string;
  /** SHA-256 of the answer a cell gave. */
  readonly answer?: string;
  /** Of a bash command. */
  readonly exitCode?: number;
  readonly durationMs: number;
  /** It was interrupted, by its time limit or by its caller: its replay gets the time it had. */
  readonly cut: boolean;
  /** The REPL was killed and restored to the state before it: it is not replayed. */
  readonly restarted: boolean;
}

/** The end of an operation that is neither a command nor a completion, and did not fail. */
export const PLAIN_END: OperationEnd = { ok: true, durationMs: 0, cut: false, restarted: false };

/** An operation that is neither a command nor a completion. */
export function isPlain({ op }: SessionOperation): boolean {
  return op !== 'execute' && op !== 'bash' && op !== 'completion';
}

/** An operation with its end, where that was recorded. */
export interface LoggedOperation {
  readonly operation: SessionOperation;
  readonly end: OperationEnd | undefined;
}

/** The log of a session's operations. */
export interface SessionLog {
  /** Operations in it, as far as they were appended or read. */
  readonly count: number;
  append(operation: SessionOperation): Promise<void>;
  /** The end of the operation appended last. */
  ended(end: OperationEnd): Promise<void>;
  read(): Promise<readonly LoggedOperation[]>;
}

/** The log of a session in a store, beside the journal of what its own cells asked. */
export function sessionLog(store: Store, sessionId: string): SessionLog {
  const journalId = `${sessionId}/operations`;
  let count = 0;
  return {
    get count() {
      return count;
    },
    append: async (operation) => {
      count += 1;
      // An operation is logged before it runs: after a crash it is replayed, from the state before it.
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
      count = operations.length;
      return operations;
    },
  };
}
