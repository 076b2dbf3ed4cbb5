/**
 * The events of a run: the union, the bus they go over, and where they can be written.
 *
 * @example
 * ```ts
 * for await (const event of rlm.completion({ query, context })) console.log(event.seq, event.type);
 * ```
 *
 * @module
 */
export { createEventBus, type EventBus, type EventBusOptions, type SubscribeOptions } from './bus.ts';
export {
  type BudgetWarning,
  type CellCompleted,
  type CellOutput,
  type CellStarted,
  type CommandParsed,
  type CommandRejected,
  type ContextFacts,
  EPHEMERAL_EVENTS,
  type EventBase,
  type EventBody,
  type EventsDropped,
  type JournalDiverged,
  type LimitReached,
  type ModelDelta,
  type ModelReplied,
  type Outcome,
  type ReplRestarted,
  type RunCompleted,
  type RunEvent,
  type RunProgress,
  type RunQueued,
  type RunResumed,
  type RunStarted,
  type SessionEvent,
  type SnapshotEvent,
  type StopReason,
  type SubCallCompleted,
  type SubCallFallback,
  type SubCallStarted,
  type ToolCompleted,
  type TurnCompleted,
  type TurnStarted,
  type UsageRecorded,
} from './event.ts';
export { eventIdentity } from './identity.ts';
export { type JsonlSink, type JsonlSinkOptions, jsonlSink } from './jsonl-sink.ts';
export {
  type OpenTelemetryApi,
  type OpenTelemetrySpan,
  type OpenTelemetryTracer,
  openTelemetrySink,
} from './open-telemetry.ts';
export { redactEvent } from './redact.ts';
export { type ReferenceLogOptions, referenceLog, referenceLogName } from './reference-log.ts';
export { type ReopenedLog, reopenLog } from './reopen.ts';
