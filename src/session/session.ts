import type { ContextInput } from '../context/index.ts';
import type { Usage } from '../ledger/index.ts';
import type { Limits } from '../limits.ts';
import type { CellError, JsonValue, RestartInfo, SnapshotInfo, VariableInfo } from '../repl/port.ts';
import type { ReplChoice } from '../repl/select.ts';
import type { ResolveFile } from '../resume/file-reference.ts';
import type { CompletionRequest, CompletionRun } from '../run/run-handle.ts';
import type { RunOwner } from '../store/index.ts';
import type { ToolSet } from '../tools/toolbox.ts';
import type { SessionState } from './session-state.ts';

/** How a session is made. */
export interface SessionOptions {
  /** Bound as `context` and `context_0` from the start. */
  readonly context?: ContextInput;
  /** For `execute` and, unless a request says otherwise, for completions. */
  readonly limits?: Partial<Limits>;
  /** In place of the Rlm's, for cells of `execute` and for completions. Default: the Rlm's. */
  readonly tools?: ToolSet;
  /** Default: the Rlm's. */
  readonly repl?: ReplChoice;
  /** Milliseconds until it expires. Default 1 800 000 (30 minutes). */
  readonly lifetimeMs?: number;
  /** Milliseconds each `extend()` adds. Default 1 800 000. */
  readonly extensionMs?: number;
  /** How often it can be extended. Default 3. */
  readonly maxExtensions?: number;
  /** Who opened it through a door, for its record. Default: the process itself. */
  readonly owner?: RunOwner;
}

/** The status of a session. */
export interface SessionStatus {
  /** A ULID. */
  readonly id: string;
  /** `ready` is the one in which it takes commands. */
  readonly state: SessionState;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
  /** How often it was extended. */
  readonly extensions: number;
  /** Of its completions and of what its own cells asked. */
  readonly usage: Usage;
  /** As after the last command. */
  readonly variables: readonly VariableInfo[];
  /** The live ones, oldest first. */
  readonly snapshots: readonly SnapshotInfo[];
  /** Commands run outside completions, in order. */
  readonly commands: readonly {
    readonly id: string;
    readonly kind: 'cell' | 'bash';
    readonly ok: boolean;
    readonly durationMs: number;
  }[];
  /** Absent when the session is as its record says. */
  readonly diverged?: SessionDivergence;
}

/** How a session that was opened again differs from its record. Every difference was also an event, `journal.diverged`. */
export interface SessionDivergence {
  /** Names of variables that it had and that are missing. */
  readonly variables: readonly string[];
  /** Commands that ended otherwise than recorded, in order. */
  readonly commands: readonly { readonly id: string; readonly message: string }[];
}

/** Options that a session cannot restore from its record. */
export interface OpenSessionOptions {
  /**
   * Tools for its cells from now on. Calls that are recorded are answered from the record; a tool that is missing raises when it
   * is called.
   */
  readonly tools?: ToolSet;
  /**
   * Contexts by name: `contexts({ context_0: projected(rows), notes: projected(text) })`; one without a name is `context_0`.
   * For those that were projected, and files that are gone or have changed; such a context that is missing raises when it is used.
   */
  readonly context?: ContextInput;
  /** Finds files of its contexts that are not where they were. Their content has to be the same. */
  readonly resolveFile?: ResolveFile;
}

/** The result of `execute`. */
export interface CellResult {
  /** It ended without an error. */
  readonly ok: boolean;
  /** Within `outputBytes`: the first and the last half of it. */
  readonly stdout: string;
  /** Within `outputBytes`, as `stdout`. */
  readonly stderr: string;
  /** `repr` of the last expression, or null. */
  readonly value: string | null;
  /** The exception it raised, or what stopped it; null when it is ok. */
  readonly error: CellError | null;
  /** The output as a model would see it. */
  readonly shown: string;
  /** Milliseconds from start to end, waiting for calls included. */
  readonly durationMs: number;
  /** It ran into `timeoutMs`. */
  readonly timedOut: boolean;
  /** Set when the REPL was killed and came back: why, and what is lost. `shown` says it too. */
  readonly restarted?: RestartInfo;
  /** The text of an answer the cell gave (`FINAL`, `answer`); nothing ends by it. */
  readonly answer?: string;
}

/** The result of `bash`. */
export interface BashResult {
  /** Its exit code is 0. */
  readonly ok: boolean;
  /** As the shell gives it; 137 when the REPL had to be killed. */
  readonly exitCode: number;
  /** Within `outputBytes`: the first and the last half of it. */
  readonly stdout: string;
  /** Within `outputBytes`, as `stdout`. */
  readonly stderr: string;
  /** The output as a model would see it. */
  readonly shown: string;
  /** Milliseconds from start to end. */
  readonly durationMs: number;
  /** It ran into `timeoutMs`. */
  readonly timedOut: boolean;
  /** Set when the REPL was killed and came back: why, and what is lost. `shown` says it too. */
  readonly restarted?: RestartInfo;
}

/** Options of `execute` and `bash`. */
export interface ExecuteOptions {
  /** Milliseconds. Default: the limit `cellTimeoutMs`. */
  readonly timeoutMs?: number;
  /** Aborting it interrupts the command. */
  readonly signal?: AbortSignal;
}

/**
 * A REPL that lives across completions. It does one operation after the other. In a durable store it outlives the
 * process: `rlm.openSession(id)` restores it.
 */
export interface Session extends AsyncDisposable {
  /** A ULID. */
  readonly id: string;
  /** The status from memory: it does not ask the REPL. */
  status(): SessionStatus;
  /** A completion on the session's REPL: variables live on, the new context is `context` and `context_n`; without one the last stays. */
  completion<T = string>(request: CompletionRequest<T>): CompletionRun<T>;
  /**
   * Runs Python as a cell of a notebook. An exception of the cell is in the result.
   *
   * @throws RlmError `session-closed`, `session-expired`, `repl-failure`
   */
  execute(code: string, options?: ExecuteOptions): Promise<CellResult>;
  /** Runs bash on the same files. A failed command is a result, no error. @throws RlmError as `execute` */
  bash(command: string, options?: ExecuteOptions): Promise<BashResult>;
  /** @throws RlmError `invalid-name`, `reserved-name` */
  setVariable(name: string, value: JsonValue): Promise<void>;
  /** @throws RlmError `variable-not-found`, `not-json` */
  getVariable(name: string): Promise<JsonValue>;
  /** Variables that cells bound, and the contexts; new and changed first, without helpers, tools and modules. */
  variables(): Promise<readonly VariableInfo[]>;
  /** @throws RlmError `invalid-name`, `snapshot-exists`, `snapshot-limit` */
  snapshot(name: string): Promise<SnapshotInfo>;
  /** Variables and files as they were; later snapshots stay. @throws RlmError `snapshot-not-found` */
  rollback(name: string): Promise<void>;
  /** The live ones, oldest first. */
  snapshots(): Promise<readonly SnapshotInfo[]>;
  /** Frees the snapshot's place. @throws RlmError `snapshot-not-found` */
  deleteSnapshot(name: string): Promise<void>;
  /** Adds to its time. @throws RlmError `extension-limit` */
  extend(): Promise<SessionStatus>;
  /** Ends it for good, within a second: what runs is stopped and rejects with `session-closed`. Idempotent. */
  close(): Promise<void>;
}
