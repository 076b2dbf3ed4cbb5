/**
 * Events of a run as a whole: its beginning and end, its limits, its REPL.
 *
 * @module
 */

/** How a run ended. */
export type Outcome = 'converged' | 'exhausted' | 'failed' | 'aborted';

/** Why a run ended: a closed set. */
export type StopReason =
  | 'final'
  | 'final-var'
  | 'max-turns'
  | 'no-code'
  | 'error-limit'
  | 'token-limit'
  | 'cost-limit'
  | 'time-limit'
  | 'call-limit'
  | 'finish-requested'
  | 'model-failure'
  | 'repl-failure'
  | 'cancelled';

/** The size of a context without any of its body. */
export interface ContextFacts {
  readonly name: string;
  /** e.g. `str`, `list`, `dict`, `NoneType`. */
  readonly type: string;
  /** Characters of a text, items of a list or mapping; absent when unknown. */
  readonly size?: number;
  /** Its source, in words, e.g. ``text of `invoices.csv` (CSV, 1.2 MB, UTF-8)``. */
  readonly description?: string;
  /** How it was read, where that is out of the ordinary, and what was left out of it. */
  readonly notes?: readonly ContextRemark[];
}

/** Something a user has to know of a context. */
export interface ContextRemark {
  readonly kind: 'encoding' | 'replaced' | 'bytes' | 'left-out' | 'empty';
  /** A clause, e.g. `l1.tsv is not UTF-8: read as windows-1252`. */
  readonly text: string;
  /** Details behind the clause, one line each. */
  readonly details?: readonly string[];
}

/** The run waits for a REPL: as many as `maxRepls` allows are in use. The wait counts against `maxDurationMs`. */
export interface RunQueued {
  readonly type: 'run.queued';
  /** In the queue, 1 for the next one. */
  readonly position: number;
  /** REPLs open at once at the most. */
  readonly maxRepls: number;
}

/** How a run is answered: by code in a REPL, turn by turn, or by one direct call that reads the whole context. */
export interface Route {
  readonly chosen: 'loop' | 'direct';
  /** A clause. */
  readonly reason: string;
  /** Estimated tokens of everything a direct call sends; null where the context was not read. */
  readonly tokens: number | null;
  /** Tokens that the root model takes; null when unknown. */
  readonly window: number | null;
}

/** The route of a run in mode `auto` or `direct`; once more where a direct call gave no answer and the loop continues. */
export interface RouteChosen extends Route {
  readonly type: 'route.chosen';
}

/** The run began; its REPL is open, or the direct call gave its answer. */
export interface RunStarted {
  readonly type: 'run.started';
  readonly query: string;
  /** 0 for the completion the caller started. */
  readonly depth: number;
  /** One per variable; sizes only. */
  readonly contexts: readonly ContextFacts[];
  readonly rootModel: string;
  /** Of its flat sub-calls and the root of its children. */
  readonly subCallModel: string;
  /** `none` for a direct answer. */
  readonly backend: string;
  readonly isolation: string;
  /** The worker that runs it, where another process asked for it: its machine and process. */
  readonly worker?: string;
  /** Of a completion of a session. */
  readonly sessionId?: string;
}

/**
 * An interrupted or paused run continues. A terminal record it already had is taken back: this event has its number.
 */
export interface RunResumed {
  readonly type: 'run.resumed';
  /** Steps whose result is recorded: they are not paid again. */
  readonly recordedSteps: number;
  /** Attempts that were in flight when the run stopped: they may have been billed and are sent once more. */
  readonly possiblyBilled: number;
  /** Why the run had stopped, when it could still say so. */
  readonly previous?: { readonly outcome: Outcome; readonly stop: StopReason; readonly reason?: string };
}

/** The one terminal record of a run, on every path. */
export interface RunCompleted {
  readonly type: 'run.completed';
  readonly outcome: Outcome;
  readonly stop: StopReason;
  /** Root-model replies, without the last call at a limit. */
  readonly turns: number;
  /** Of the whole tree. */
  readonly subCalls: number;
  /** Of the whole tree. */
  readonly inputTokens: number;
  /** Of the whole tree. */
  readonly outputTokens: number;
  /** US dollars; null when a price is unknown. */
  readonly costUsd: number | null;
  /** Milliseconds from start to end. */
  readonly elapsedMs: number;
  /** Why, unless it converged. */
  readonly reason?: string;
  /**
   * The result's `text`: the answer, or the best one at a limit; of a failure the draft. Cut to its first characters
   * ({@link EVENT_ANSWER_CHARS}); the result and the stored run have all of it.
   */
  readonly text?: string;
  /** Characters (UTF-16) of the whole text, where it is cut. */
  readonly textChars?: number;
  readonly rootModel: string;
  readonly subCallModel: string;
  /** Context characters per input token of the root model; absent without a context. */
  readonly compressionRatio?: number;
}

/** Safe to broadcast: it contains only the run's progress. */
export interface RunProgress {
  readonly type: 'run.progress';
  /** From 1; 0 while the REPL is opened and the context is loaded. */
  readonly turn: number;
  /** The limit. */
  readonly maxTurns: number;
  /** 0..1. */
  readonly fraction: number;
  /** A few words, e.g. `running code`. */
  readonly status: string;
}

/** A part of a limit is spent: once per resource and fraction in a tree. */
export interface BudgetWarning {
  readonly type: 'budget.warning';
  /** `calls`, `tokens`, `cost` or `time`. */
  readonly resource: string;
  /** 0.6 or 0.9. */
  readonly fraction: number;
  /** In the unit of the limit, settled calls only. */
  readonly spent: number;
  /** In the unit of the limit. */
  readonly limit: number;
}

/**
 * A limit was reached: sub-calls are refused from here on, or the run ends, as it also does by a wish for the best answer
 * now. Emitted once for each limit of a run.
 */
export interface LimitReached {
  readonly type: 'limit.reached';
  /** As a stop reason names it, e.g. `max-turns`. */
  readonly limit: string;
  /** The turn in which it was reached; 0 before the first. */
  readonly value: number;
  /** The limit that is used up, in words for people. */
  readonly message: string;
}

/** A named snapshot of the REPL came, was gone back to, or went. */
export interface SnapshotEvent {
  readonly type: 'snapshot.created' | 'snapshot.restored' | 'snapshot.deleted';
  readonly name: string;
  /** Of a created one: bytes of memory and files it holds; pages it shares with other snapshots count in each. */
  readonly bytes?: number;
}

/** A session changed its state or its lifetime. */
export interface SessionEvent {
  readonly type:
    | 'session.created'
    | 'session.opened'
    | 'session.state'
    | 'session.extended'
    | 'session.closed'
    | 'session.expired';
  readonly sessionId: string;
  readonly state: string;
  readonly expiresAt?: string;
}

/** The REPL was killed and came back. */
export interface ReplRestarted {
  readonly type: 'repl.restarted';
  /** The cause of its end. */
  readonly reason: string;
  /** The lost state, in words, e.g. `variables and files are as they were before this cell`. */
  readonly lost: string;
}

/** A replay differs from its record: a cell asked for something unrecorded, printed something else or ended otherwise. */
export interface JournalDiverged {
  readonly type: 'journal.diverged';
  /** The command that differs, e.g. `t3.0`; of a whole session, the last one. */
  readonly commandId: string;
  readonly message: string;
  /** Of a session that was opened again: variables that are missing. */
  readonly variables?: readonly string[];
}

/** Sent only to a subscriber that was too slow, at the gap: so many ephemeral events are missing here. */
export interface EventsDropped {
  readonly type: 'events.dropped';
  /** Events, at least 1. */
  readonly count: number;
}
