/**
 * The REPL port: what the engine asks of a REPL, and what a REPL asks of the engine. Backends implement it; nothing
 * above it knows which one runs.
 *
 * @module
 */

import { RlmError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { ReplHost } from './host-port.ts';
import type { JsonValue, ReplBindings } from './value-port.ts';

export type * from './host-port.ts';
export type * from './value-port.ts';
export { CONTEXT_FOLDER, isReadOnDemand } from './value-port.ts';

/** The proved wall between a cell and the host, weakest first. SECURITY.md says what each promises. */
export type IsolationLevel = 'none' | 'process' | 'namespace' | 'vm';

/** Every level of isolation, weakest first. */
export const ISOLATION_LEVELS: readonly IsolationLevel[] = ['none', 'process', 'namespace', 'vm'];

/** Limits a REPL enforces itself; units and defaults in limits.ts. */
export interface ReplLimits
  extends Pick<
    Limits,
    | 'cellTimeoutMs'
    | 'outputChars'
    | 'outputBytes'
    | 'promptBytes'
    | 'maxBatchItems'
    | 'answerBytes'
    | 'memoryBytes'
    | 'maxProcesses'
    | 'diskBytes'
    | 'maxSnapshots'
  > {
  /** Left out: the default of limits.ts. */
  readonly snapshotBytes?: number;
  /** Left out: the default of limits.ts. The engine counts what it sends. */
  readonly contextFileBytes?: number;
  /** Left out: the defaults of limits.ts, as the guest knows them. */
  readonly sqlTimeoutMs?: number;
  readonly sqlMemoryBytes?: number;
  readonly maxSqlRows?: number;
  /** How many sub-calls the guest keeps under way at once in a batch: the host's concurrency, with some ahead of it. */
  readonly callWindow: number;
}

/** A backend: how REPLs of one kind are made. */
export interface ReplBackend {
  /** As results and events name it, e.g. `pyodide`. */
  readonly name: string;
  /**
   * Opens a REPL, from a warm spare where there is one.
   *
   * @throws RlmError `isolation-unavailable` when `least` cannot be proved here, `repl-failure` when it cannot start
   */
  open(options: OpenReplOptions): Promise<Repl>;
  /** Frees what REPLs share (zygote, spares, caches in memory). REPLs still open are closed. */
  close(): Promise<void>;
}

/** The options that a REPL is opened with. */
export interface OpenReplOptions {
  /** Those it enforces itself. */
  readonly limits: ReplLimits;
  /** Who serves what its cells ask for. */
  readonly host: ReplHost;
  /** The least isolation level accepted. */
  readonly least: IsolationLevel;
  /** False: there is no room for a spare REPL beside this one. Default true. */
  readonly mayKeepSpare?: boolean;
  /** Aborting it gives up opening. */
  readonly signal?: AbortSignal;
  /** Called when opening waits for something that is made once on a machine and then kept. */
  readonly onPreparing?: () => void;
}

/** One REPL: a Python namespace, a file tree and named snapshots of both. Calls are answered in the order they came. */
export interface Repl {
  /** Facts about it, known once it is open. */
  readonly info: ReplInfo;
  /** Puts values, tools and the answer's rules in place. Names bound here are protected and restored before each cell. */
  bind(bindings: ReplBindings): Promise<void>;
  /** Runs a cell. Never rejects for anything the cell does; rejects with `repl-failure` when the REPL is lost for good. */
  execute(cell: CellRequest): Promise<CellOutcome>;
  /** Runs a bash command on the same files. */
  bash(command: BashRequest): Promise<BashOutcome>;
  /** The value of a variable or of an f-string as an answer, see {@link AnswerLookup}. */
  answer(lookup: AnswerLookup, signal?: AbortSignal): Promise<AnswerFound>;
  /** The draft in `answer["content"]`, if it is not empty. */
  draft(): Promise<Answer | undefined>;
  /** Variables that cells bound, and the contexts; new and changed first, without helpers, tools and modules. */
  variables(): Promise<readonly VariableInfo[]>;
  /** @throws RlmError `variable-not-found`, `not-json` */
  getVariable(name: string): Promise<JsonValue>;
  /** @throws RlmError `invalid-name`, `reserved-name` */
  setVariable(name: string, value: JsonValue): Promise<void>;
  /** @throws RlmError `snapshot-exists`, `snapshot-limit` */
  snapshot(name: string): Promise<SnapshotInfo>;
  /** @throws RlmError `snapshot-not-found` */
  rollback(name: string): Promise<void>;
  /** Frees the snapshot's place. @throws RlmError `snapshot-not-found` */
  deleteSnapshot(name: string): Promise<void>;
  /** The live ones, oldest first. */
  snapshots(): Promise<readonly SnapshotInfo[]>;
  /** Ends the REPL and everything it started. Idempotent. */
  close(): Promise<void>;
}

/** Facts about a REPL. */
export interface ReplInfo {
  /** The backend's name. */
  readonly backend: string;
  /** e.g. `3.14.2`. */
  readonly pythonVersion: string;
  /** The isolation that was proved, not the one that was asked for. */
  readonly isolation: IsolationLevel;
  /** `threading.Thread` works. */
  readonly threads: boolean;
  /** Packages worth naming to the model beyond the standard library, e.g. `numpy 2.1.0`. */
  readonly packages: readonly string[];
  /** The shell: `bash` or `just-bash`. */
  readonly shell: string;
}

/** A cell to run. */
export interface CellRequest {
  readonly code: string;
  /** The handle under which `history` will hold the full output, named where output is cut, e.g. `t3.0`. */
  readonly handle: string;
  /** Milliseconds of guest time. Default: the limit `cellTimeoutMs`. */
  readonly timeoutMs?: number;
  /** Aborting it interrupts the cell. */
  readonly signal?: AbortSignal;
  /** Called with pieces of output as they come; for progress only. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', text: string) => void;
}

/** A bash command to run; fields as in {@link CellRequest}. */
export interface BashRequest {
  readonly command: string;
  readonly handle: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Output as kept: the first and last half of `outputBytes`; `dropped` characters are missing between them. */
export interface CapturedText {
  readonly text: string;
  readonly dropped: number;
  /** Where in `text` the dropped characters were; set when there are any. */
  readonly gapAt?: number;
}

/** An error that ended a cell. */
export interface CellError {
  /** Class name, e.g. `ValueError`. */
  readonly type: string;
  /** `str(error)`, bounded. */
  readonly message: string;
  /** As Python prints it, without frames of the runtime. */
  readonly traceback: string;
}

/** The outcome of a cell. */
export interface CellOutcome {
  readonly ok: boolean;
  readonly stdout: CapturedText;
  readonly stderr: CapturedText;
  /** `repr` of the last expression, bounded, or null. */
  readonly value: string | null;
  readonly error: CellError | null;
  /** Milliseconds from start to end, waiting included. */
  readonly durationMs: number;
  readonly timedOut: boolean;
  /** The first answer the cell gave, when the cell did not end in an error. */
  readonly answer?: Answer;
  /** Variables after the cell, new and changed first. Absent after a restart that failed to say. */
  readonly variables?: readonly VariableInfo[];
  /** Set when the REPL had to be killed and came back. */
  readonly restarted?: RestartInfo;
  /** `continue_with` was called: the text the next turn starts from. */
  readonly continueWith?: string;
  /** Protected names that the cell overwrote or deleted: they are back in the next cell. */
  readonly rebound?: readonly string[];
  /** False when `answer["content"]` is empty after the cell, so that {@link Repl.draft} need not be asked. */
  readonly drafted?: boolean;
}

/** How a REPL came back after a kill. */
export interface RestartInfo {
  /** The end of its process, as a phrase. */
  readonly reason: string;
  /** The loss in words, e.g. `variables and files are as they were before this cell`. */
  readonly lost: string;
  /** Its process was killed, or vanished, and not because of a limit: another process did it, or the cell itself. */
  readonly killed?: boolean;
}

/** The outcome of a bash command. */
export interface BashOutcome {
  readonly ok: boolean;
  readonly exitCode: number;
  readonly stdout: CapturedText;
  readonly stderr: CapturedText;
  readonly durationMs: number;
  readonly timedOut: boolean;
  readonly restarted?: RestartInfo;
}

/** An answer as it leaves the guest. */
export interface Answer {
  readonly via: 'final' | 'final-var' | 'answer';
  /** JSON text when the value is JSON (tuples as lists), else null. */
  readonly json: string | null;
  /** The text form: a string itself, JSON text for other JSON values, else `str(value)`. */
  readonly text: string;
}

/** Where an answer is looked up: a variable, or an f-string evaluated in the namespace. */
export type AnswerLookup =
  | { readonly kind: 'identifier'; readonly name: string }
  | { readonly kind: 'f-string'; readonly source: string };

/** The result of an answer lookup. */
export type AnswerFound =
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** A callable or module: bound, but no data. */
  | { readonly kind: 'not-data'; readonly type: string }
  | { readonly kind: 'unbound'; readonly names: readonly string[] }
  | { readonly kind: 'error'; readonly error: CellError };

/** A variable, as far as it can be described without running its code. */
export interface VariableInfo {
  /** As it is bound. */
  readonly name: string;
  /** Its class's name, e.g. `list`. */
  readonly type: string;
  /** `len`, where the type is built in and has one. */
  readonly size?: number;
  /** Bounded; only for built-in types, never from user code. */
  readonly preview?: string;
  /** New or changed since the last cell. */
  readonly changed?: boolean;
}

/** A named snapshot of variables and files. */
export interface SnapshotInfo {
  /** `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`. */
  readonly name: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Bytes of memory and files in it. Bytes that it shares with other snapshots count in each. */
  readonly bytes: number;
  /** The snapshot before it, when that is still there. */
  readonly parent?: string;
}

/** A REPL was lost by a kill that did not come from this process: its work can be replayed elsewhere. */
export function wasKilled(error: unknown): boolean {
  return RlmError.isInstance(error) && error.code === 'repl-failure' && error.data.killed === true;
}
