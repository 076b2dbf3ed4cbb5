import type { CompletionRun } from '../completion/completion-run.ts';
import type { CompletionRequest } from '../completion/request.ts';
import type { ContextInput } from '../context/index.ts';
import type { Usage } from '../ledger/index.ts';
import type { Limits } from '../limits.ts';
import type { CellError, JsonValue, SnapshotInfo, VariableInfo } from '../repl/port.ts';
import type { ReplChoice } from '../repl/select.ts';
import type { ToolSet } from '../subcall/toolbox.ts';
import type { SessionState } from './session-state.ts';

/** How a session is made. */
export interface SessionOptions {
  /** Bound as `context` and `context_0` from the start. */
  readonly context?: ContextInput;
  /** For `execute` and, unless a request says otherwise, for completions. */
  readonly limits?: Partial<Limits>;
  readonly tools?: ToolSet;
  readonly repl?: ReplChoice;
  /** Milliseconds until it expires. Default 1 800 000 (30 minutes). */
  readonly lifetimeMs?: number;
  /** Milliseconds each `extend()` adds. Default 1 800 000. */
  readonly extensionMs?: number;
  /** How often it can be extended. Default 3. */
  readonly maxExtensions?: number;
}

/** How a session stands. */
export interface SessionStatus {
  readonly id: string;
  readonly state: SessionState;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly expiresAt: string;
  /** How often it was extended. */
  readonly extensions: number;
  /** Of its completions and of what its own cells asked. */
  readonly usage: Usage;
  /** As after the last command. */
  readonly variables: readonly VariableInfo[];
  readonly snapshots: readonly SnapshotInfo[];
  /** Commands run outside completions, in order. */
  readonly commands: readonly {
    readonly id: string;
    readonly kind: 'cell' | 'bash';
    readonly ok: boolean;
    readonly durationMs: number;
  }[];
}

/** What a cell of `execute` came to. */
export interface CellResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** `repr` of the last expression, or null. */
  readonly value: string | null;
  readonly error: CellError | null;
  /** What a model would see. */
  readonly shown: string;
  readonly durationMs: number;
  readonly timedOut: boolean;
  /** The text of an answer the cell gave (`FINAL`, `answer`); nothing ends by it. */
  readonly answer?: string;
}

/** What a bash command came to. */
export interface BashResult {
  readonly ok: boolean;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly shown: string;
  readonly durationMs: number;
  readonly timedOut: boolean;
}

/** Options of `execute` and `bash`. */
export interface ExecuteOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * A REPL that lives across completions. What is asked of it is done one thing after the other. In a durable store it
 * outlives the process: `rlm.openSession(id)` brings it back.
 */
export interface Session extends AsyncDisposable {
  /** A ULID. */
  readonly id: string;
  status(): SessionStatus;
  /** A completion on the session's REPL: variables live on, the new context is `context` and `context_n`; without one the last stays. */
  completion<T = string>(request: CompletionRequest<T>): CompletionRun<T>;
  execute(code: string, options?: ExecuteOptions): Promise<CellResult>;
  bash(command: string, options?: ExecuteOptions): Promise<BashResult>;
  /** @throws RlmError `invalid-name`, `reserved-name` */
  setVariable(name: string, value: JsonValue): Promise<void>;
  /** @throws RlmError `variable-not-found`, `not-json` */
  getVariable(name: string): Promise<JsonValue>;
  variables(): Promise<readonly VariableInfo[]>;
  /** @throws RlmError `invalid-name`, `snapshot-exists`, `snapshot-limit` */
  snapshot(name: string): Promise<SnapshotInfo>;
  /** Variables and files as they were; later snapshots stay. @throws RlmError `snapshot-not-found` */
  rollback(name: string): Promise<void>;
  snapshots(): Promise<readonly SnapshotInfo[]>;
  /** Frees the snapshot's place. @throws RlmError `snapshot-not-found` */
  deleteSnapshot(name: string): Promise<void>;
  /** Adds to its time. @throws RlmError `extension-limit` */
  extend(): Promise<SessionStatus>;
  /** Ends it for good. Idempotent. */
  close(): Promise<void>;
}
