/**
 * Everything that happens in a run, as one discriminated union. Durable events are stored before any subscriber sees
 * them; ephemeral ones may be dropped for a slow subscriber. No event holds a secret, and the engine puts nothing of the
 * context into one: what a cell prints is in its own record.
 *
 * @module
 */

import type {
  ModelNotice,
  SubCallCompleted,
  SubCallFallback,
  SubCallStarted,
  ToolCompleted,
  ToolStarted,
  UsageRecorded,
} from './call-events.ts';
import type { CompactionFailed, ContextCompacted, ContextTruncated } from './context-events.ts';
import type { EvidenceChecked } from './evidence-events.ts';
import type { PolicyDecided, PolicyRefusalsReached } from './policy-events.ts';
import type {
  BudgetWarning,
  EventsDropped,
  JournalDiverged,
  LimitReached,
  ReplRestarted,
  RouteChosen,
  RunCompleted,
  RunProgress,
  RunQueued,
  RunResumed,
  RunStarted,
  SessionEvent,
  SnapshotEvent,
} from './run-events.ts';
import type {
  CellCompleted,
  CellOutput,
  CellStarted,
  CommandParsed,
  CommandRejected,
  ModelDelta,
  ModelReplied,
  TurnCompleted,
  TurnStarted,
} from './turn-events.ts';

export type * from './call-events.ts';
export type * from './context-events.ts';
export type * from './evidence-events.ts';
export type * from './policy-events.ts';
export type * from './run-events.ts';
export type * from './turn-events.ts';

/** The fields of every event. */
export interface EventBase {
  /** Version of this schema. */
  readonly v: 1;
  /** The run it belongs to, a ULID. */
  readonly runId: string;
  /** Of a child: the run whose code asked for it. */
  readonly parentRunId?: string;
  /** One per completion tree: the run id of its root. */
  readonly traceId: string;
  /** From 1, per run, without gaps among durable events; ephemeral ones carry the number of the durable one before. */
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** An event without the base fields. */
export type EventBody =
  | RunStarted
  | RunQueued
  | RouteChosen
  | RunResumed
  | RunCompleted
  | RunProgress
  | TurnStarted
  | ModelDelta
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
  | ModelNotice
  | ToolStarted
  | ToolCompleted
  | BudgetWarning
  | LimitReached
  | SnapshotEvent
  | SessionEvent
  | ReplRestarted
  | JournalDiverged
  | UsageRecorded
  | ContextCompacted
  | ContextTruncated
  | CompactionFailed
  | EvidenceChecked
  | PolicyDecided
  | PolicyRefusalsReached
  | EventsDropped;

/** One event of a run. */
export type RunEvent = EventBase & EventBody;

/** Types that may be dropped for a slow subscriber; all others are durable. */
export const EPHEMERAL_EVENTS: ReadonlySet<EventBody['type']> = new Set([
  'run.progress',
  'model.delta',
  'cell.started',
  'cell.output',
  'events.dropped',
]);
