/**
 * The journal as the engine uses it. One journal serves one completion tree; each completion in it has a scope. Work
 * that costs money or acts on the world is a step: it runs once, its result is recorded before any code sees it, and a run
 * that is resumed gets the recorded result without running it.
 *
 * @module
 */
import { RlmError } from '../errors.ts';
import type { CallAccount, Settlement } from '../model/account.ts';
import type { Durability, JournalEntry } from '../store/port.ts';

/** The kind of a step. `child` is a completion started by `rlm_query`, `compaction` makes the root conversation smaller. */
export type StepKind = 'root' | 'final' | 'sub' | 'child' | 'tool' | 'compaction';

/** Identifies a step, in whatever order threads and tasks make them. */
export interface StepCall {
  readonly kind: StepKind;
  /** The turn it belongs to; `t<turn>` is its place unless a command is given. */
  readonly turn: number;
  /** The command that makes it, e.g. `t3.0`, `e1`. Always given for `sub`, `child` and `tool`. */
  readonly command?: string;
  /**
   * Which of several concurrent strands of a command makes it, where that is known and the same on every run: the index
   * of a batch item, the number of a task. Equal requests of different tasks then never get each other's answers.
   */
  readonly task?: string;
  /**
   * The request, JSON only, built with its properties in one fixed order: its hash is part of the key. Not used for
   * `root`, `final` and `compaction`, whose place alone says which they are: their messages hold volatile facts such as the
   * time left.
   */
  readonly request?: unknown;
  /** Of a sub-call: recorded before it runs, for people who look at the run. */
  readonly asked?: RecordedCall;
  /** Called with the step's key before the step runs, or before its record is returned. */
  readonly onKey?: (key: string) => void;
}

/** A sub-call as people read it. */
export interface RecordedCall {
  /** As in its events. */
  readonly callId: string;
  /** As the code asked: a flat call, or a child completion. */
  readonly kind: 'llm' | 'rlm';
  readonly model: string;
  /** The messages that are sent; of a child completion its query. */
  readonly messages: readonly RecordedMessage[];
}

export interface RecordedMessage {
  readonly role: string;
  /** Bounded by {@link RECORDED_PROMPT_CHARS}. */
  readonly content: string;
}

/** A step that really runs. */
export interface Step {
  /** Unique in the journal and the same in every resumed run: good as a call id. */
  readonly key: string;
  /** It had begun before the run was interrupted: count it as a call once, not twice. A tool may have acted already. */
  readonly again: boolean;
  /** The recorded beginning of this reply, of a run that was interrupted while the rest arrived. */
  readonly beginning?: string;
  /** Records the beginning of a reply durably, before anything of it is run. A later one replaces it. */
  begun(text: string): Promise<void>;
  /** Records that a tool is about to be called, so that a resumed run knows of a call without a result. */
  toolBegins(name: string): Promise<void>;
  /** The account to pay its attempts from: the given one, whose reservations record the attempt in `sending`. */
  account(account: CallAccount): CallAccount;
  /**
   * For a `child`: the run that serves it. A run begun before the interruption has the id it had then.
   *
   * @param newRunId the id to take when there is none yet
   */
  child(newRunId: string): ChildRun;
}

/** The completion a `child` step starts. */
export interface ChildRun {
  readonly runId: string;
  readonly journal: JournalScope;
  /** It had begun before the interruption: its event log has a tail. */
  readonly resumed: boolean;
  /** For a completion that runs in another process. */
  readonly relay: JournalRelay;
}

/** The entries of one child, for the process that runs it. */
export interface JournalRelay {
  /** Records an entry. @throws RlmError `store-failure` */
  append(entry: JournalEntry, durability: Durability): Promise<void>;
  /** Those that are recorded, in their order. */
  entries(): Promise<readonly JournalEntry[]>;
  /** As the store's: how long this process surely owns the run. */
  ownedForMs(): number | Promise<number>;
}

/**
 * The treatment of a step that is not recorded. `run`: it runs. `refuse`: it is not run and throws `cancelled`; a replay of
 * what has ended makes no calls and writes nothing.
 */
export type Unrecorded = 'run' | 'refuse';

/** One completion's part of a journal. */
export interface JournalScope {
  /** `''` for the root, else the key of the step that started the completion. */
  readonly path: string;
  /** Of the whole journal. */
  readonly unrecorded: Unrecorded;
  /** How many recorded steps of this completion wait to be asked for. */
  readonly recordedSteps: number;
  /**
   * Runs `run` once per key and records what it returns before it returns that; on replay returns the record.
   *
   * Where unrecorded steps are refused, a reply whose beginning is recorded is made from that, and nothing is written.
   *
   * Returned values are recorded: so a failure that the guest or the loop sees and continues from (a failed sub-call, a
   * refused budget, an error of a tool, a refused reply) is returned as a value, JSON only. A thrown error is not
   * recorded and runs again after a resume: a cancel, a kill, a quota or key error that stops the run.
   *
   * @throws RlmError `store-failure`, `cancelled` where unrecorded steps are refused, and whatever `run` throws
   */
  step<T>(call: StepCall, run: (step: Step) => Promise<T>): Promise<T>;
  /** True when the next step of this call would return its record, or make its reply from a recorded beginning. */
  recorded(call: StepCall): boolean;
  /** The record of a command that has ended, for a replay to see before it runs the command. */
  recordedCommand(id: string): CommandRecord | undefined;
  /** Records a command that has ended, or compares it with its record and reports differences. */
  command(command: CommandRun): CommandCheck;
  /**
   * Records the end of a turn, or returns its record. The loop continues with the feedback that is returned: in a
   * replay that is what the model really saw, durations and times left included.
   *
   * @param turn from 1
   */
  turn(turn: number, feedback: string): string;
  /** Takes the one listener for differences between a replay and the record. */
  onDiverged(listener: (divergence: Divergence) => void): void;
}

/** The error of a replay that asks for something unrecorded. */
export function notRecorded(): RlmError {
  return new RlmError({
    code: 'cancelled',
    message: 'This call is not in the journal; a replay makes no new calls.',
  });
}

/** A command that has ended. */
export interface CommandRun {
  /** Its handle, e.g. `t3.0`. */
  readonly id: string;
  /** Its code, or the text of another command. */
  readonly source: string;
  /** The output that the model was shown, without durations. */
  readonly shown: string;
  readonly ok: boolean;
  readonly timedOut?: boolean;
  /** The REPL was killed and came back as it was before: a replay can leave the command out. */
  readonly restarted?: boolean;
}

/** A command as recorded: its output only as a hash, it is in the events. */
export interface CommandRecord {
  readonly id: string;
  readonly source: string;
  readonly shownHash: string;
  readonly ok: boolean;
  readonly timedOut: boolean;
  readonly restarted: boolean;
}

/** `live`: it was not recorded before. `same`, `diverged`: against its record. */
export type CommandCheck = 'live' | 'same' | 'diverged';

/** Where a replay differs from the record. */
export interface Divergence {
  readonly commandId: string;
  readonly message: string;
}

/** The journal of a completion tree. */
export interface Journal {
  /** The completion the caller started. */
  readonly root: JournalScope;
  /** A session sets `refuse` for the time in which it replays a command that has ended. */
  unrecorded: Unrecorded;
  /** The entries recorded when it was opened; empty for a new one. */
  readonly recovered: Recovered;
  /** Resolves when everything recorded so far is synced. @throws RlmError `store-failure` */
  flush(): Promise<void>;
}

/** The state that an interrupted run leaves to the run that resumes it. */
export interface Recovered {
  /** Steps with a recorded result. */
  readonly steps: number;
  /** Sub-calls that were made: to be counted before the first new one. */
  readonly subCalls: number;
  /** Attempts that were sent, to be booked before the first new one; those in flight at the end are possibly billed. */
  readonly attempts: readonly RecoveredAttempt[];
  /** Milliseconds the run had been at work. */
  readonly elapsedMs: number;
}

export interface RecoveredAttempt {
  readonly kind: StepKind;
  /** Path of the scope it was made in. */
  readonly scope: string;
  readonly key: string;
  /** From 1, per step. */
  readonly attempt: number;
  readonly model: string;
  readonly settlement: Settlement;
  /** It was in flight when the run was interrupted, and its settlement is an estimate. */
  readonly inFlight: boolean;
}
