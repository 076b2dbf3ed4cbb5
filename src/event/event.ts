/**
 * Everything that happens in a run, as one discriminated union. Durable events are stored before any subscriber sees
 * them; ephemeral ones may be dropped for a slow subscriber. No event holds a secret, and the engine puts nothing of the
 * context into one: what a cell prints is in its own record.
 *
 * @module
 */

/** What every event carries. */
export interface EventBase {
  /** Version of this schema. */
  readonly v: 1;
  readonly runId: string;
  readonly parentRunId?: string;
  /** One per completion tree: the run id of its root. */
  readonly traceId: string;
  /** From 1, per run, without gaps among durable events; ephemeral ones carry the number of the durable one before. */
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly time: string;
}

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
  /** e.g. `str`, `list`, `dict`, `none`. */
  readonly type: string;
  /** Characters of a text, items of a list or mapping; absent when unknown. */
  readonly size?: number;
}

/** The run began; its REPL is open. */
export interface RunStarted {
  readonly type: 'run.started';
  readonly query: string;
  readonly depth: number;
  readonly contexts: readonly ContextFacts[];
  readonly rootModel: string;
  readonly subCallModel: string;
  readonly backend: string;
  readonly isolation: string;
  readonly sessionId?: string;
}

/** The one terminal record of a run, on every path. */
export interface RunCompleted {
  readonly type: 'run.completed';
  readonly outcome: Outcome;
  readonly stop: StopReason;
  readonly turns: number;
  readonly subCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars; null when a price is unknown. */
  readonly costUsd: number | null;
  readonly elapsedMs: number;
  readonly reason?: string;
  readonly rootModel: string;
  readonly subCallModel: string;
  /** Context characters per input token of the root model; absent without a context. */
  readonly compressionRatio?: number;
}

/** An interrupted or paused run goes on. A terminal record it already had is taken back: this event has its number. */
export interface RunResumed {
  readonly type: 'run.resumed';
  /** Steps whose result is recorded: they are not paid again. */
  readonly recordedSteps: number;
  /** Attempts that were in flight when the run stopped: they may have been billed and are sent once more. */
  readonly possiblyBilled: number;
  /** Why the run had stopped, when it could still say so. */
  readonly previous?: { readonly outcome: Outcome; readonly stop: StopReason; readonly reason?: string };
}

/** Safe to broadcast: nothing but where the run stands. */
export interface RunProgress {
  readonly type: 'run.progress';
  readonly turn: number;
  readonly maxTurns: number;
  /** 0..1. */
  readonly fraction: number;
  /** A few words, e.g. `running a cell`. */
  readonly status: string;
}

export interface TurnStarted {
  readonly type: 'turn.started';
  readonly turn: number;
}

export interface ModelReplied {
  readonly type: 'model.replied';
  readonly turn: number;
  readonly model: string;
  readonly text: string;
  readonly reasoning?: string;
  readonly finishReason: string;
  readonly durationMs: number;
}

/** A command about to be executed. `id` is its stable handle, e.g. `t3.0`. */
export interface CommandParsed {
  readonly type: 'command.parsed';
  readonly turn: number;
  readonly id: string;
  readonly command: { readonly type: string; readonly [key: string]: unknown };
}

/** A command that was not executed: malformed, refused, or after a final answer (`after-final`). */
export interface CommandRejected {
  readonly type: 'command.rejected';
  readonly turn: number;
  readonly code: string;
  readonly message: string;
  readonly excerpt: string;
}

export interface TurnCompleted {
  readonly type: 'turn.completed';
  readonly turn: number;
  readonly feedback: string;
  readonly durationMs: number;
}

export interface CellStarted {
  readonly type: 'cell.started';
  readonly turn: number;
  readonly id: string;
}

export interface CellOutput {
  readonly type: 'cell.output';
  readonly id: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface CellCompleted {
  readonly type: 'cell.completed';
  readonly turn: number;
  readonly id: string;
  readonly ok: boolean;
  /** What the model was shown. */
  readonly shown: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly error?: { readonly type: string; readonly message: string };
  readonly subCalls: number;
  readonly failedSubCalls: number;
  readonly durationMs: number;
  readonly timedOut: boolean;
}

/** A sub-call got its place. Its prompt is not in the event: it may be the context itself. */
export interface SubCallStarted {
  readonly type: 'subcall.started';
  readonly callId: string;
  readonly kind: 'llm' | 'rlm';
  readonly depth: number;
  readonly model: string;
  readonly promptChars: number;
  /** The command that made it, e.g. `t3.0`. */
  readonly commandId: string;
}

export interface SubCallCompleted {
  readonly type: 'subcall.completed';
  readonly callId: string;
  readonly kind: 'llm' | 'rlm';
  readonly model: string;
  readonly ok: boolean;
  readonly code?: string;
  readonly childRunId?: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
  readonly durationMs: number;
}

/** Another model than the one asked for is used. */
export interface SubCallFallback {
  readonly type: 'subcall.fallback';
  readonly configured: string;
  readonly using: string;
  readonly reason: string;
}

export interface ToolCompleted {
  readonly type: 'tool.completed';
  readonly name: string;
  /** The key of the journal step, where there is one: equal calls are told apart by it. */
  readonly callId?: string;
  /** The command that made it, e.g. `t3.0`. */
  readonly commandId?: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly durationMs: number;
}

export interface BudgetWarning {
  readonly type: 'budget.warning';
  readonly resource: string;
  /** 0.6 or 0.9. */
  readonly fraction: number;
  readonly spent: number;
  readonly limit: number;
}

export interface LimitReached {
  readonly type: 'limit.reached';
  /** The limit's name in limits.ts. */
  readonly limit: string;
  readonly value: number;
  readonly message: string;
}

export interface SnapshotEvent {
  readonly type: 'snapshot.created' | 'snapshot.restored' | 'snapshot.deleted';
  readonly name: string;
  readonly bytes?: number;
}

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
  readonly reason: string;
  readonly lost: string;
}

/** A replayed cell asked for something unrecorded, or printed something else. */
export interface JournalDiverged {
  readonly type: 'journal.diverged';
  readonly commandId: string;
  readonly message: string;
}

/** One model round trip, whatever came of it. */
export interface UsageRecorded {
  readonly type: 'usage.recorded';
  readonly model: string;
  readonly purpose: 'root' | 'sub' | 'final';
  readonly depth: number;
  readonly attempt: number;
  readonly ok: boolean;
  readonly code?: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens?: number;
  readonly costUsd: number | null;
  readonly estimated: boolean;
  readonly possiblyBilled: boolean;
}

/** Told to one subscriber alone, in the place where it was too slow: so many ephemeral events are missing here. */
export interface EventsDropped {
  readonly type: 'events.dropped';
  readonly count: number;
}

/** What happened, without the base fields. */
export type EventBody =
  | RunStarted
  | RunResumed
  | RunCompleted
  | RunProgress
  | TurnStarted
  | ModelReplied
  | CommandParsed
  | CommandRejected
  | TurnCompleted
  | CellStarted
  | CellOutput
  | CellCompleted
  | SubCallStarted
  | SubCallCompleted
  | SubCallFallback
  | ToolCompleted
  | BudgetWarning
  | LimitReached
  | SnapshotEvent
  | SessionEvent
  | ReplRestarted
  | JournalDiverged
  | UsageRecorded
  | EventsDropped;

/** One event of a run. */
export type RunEvent = EventBase & EventBody;

/** Types that may be dropped for a slow subscriber; all others are durable. */
export const EPHEMERAL_EVENTS: ReadonlySet<EventBody['type']> = new Set([
  'run.progress',
  'cell.started',
  'cell.output',
  'events.dropped',
]);
