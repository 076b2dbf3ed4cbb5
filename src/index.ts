/**
 * Fathom: a Recursive Language Model runtime. Everything public is exported here by name; everything else may change.
 *
 * @example
 * ```ts
 * import { createRlm, fromFile } from 'fathom-rlm';
 *
 * const rlm = createRlm({ model: 'openai/gpt-5' });
 * const { answer } = await rlm.completion({ query: 'Who wrote the letter in chapter 3?', context: fromFile('novel.txt') });
 * ```
 *
 * @module
 */
export { type Clock, systemClock } from './clock.ts';
export {
  type Attachment,
  type ContextInput,
  type ContextSource,
  contexts,
  type FileOptions,
  type FilesOptions,
  fromFile,
  fromFiles,
  fromGit,
  fromMcp,
  fromUrl,
  type GitOptions,
  type McpClient,
  type McpRequestOptions,
  type McpResourceOptions,
  type NamedContexts,
  type ProjectedSource,
  projected,
  type SeedValues,
  setCacheBytes,
  type UrlOptions,
} from './context/index.ts';
export type { CheckedCommand, CommandPolicy, PolicyDecision, PolicyRefusal } from './engine/command-policy.ts';
export {
  CompletionError,
  type CompletionResult,
  type Converged,
  type Exhausted,
  type ResultBase,
  type Unfinished,
} from './engine/result.ts';
export type { RunMode } from './engine/run.ts';
export { RlmError, type RlmErrorCode, type RlmErrorOptions } from './errors.ts';
export type {
  Citation,
  CitationStatus,
  CompactionCause,
  CompactionFailed,
  Consensus,
  ContextCompacted,
  ContextFacts,
  ContextRemark,
  ContextTruncated,
  EventBase,
  EventBody,
  Evidence,
  EvidenceChecked,
  Outcome,
  Route,
  RunEvent,
  StopReason,
  Verdict,
} from './event/event.ts';
export { type JsonlSink, type JsonlSinkOptions, jsonlSink } from './event/jsonl-sink.ts';
export {
  type OpenTelemetryApi,
  type OpenTelemetrySpan,
  type OpenTelemetryTracer,
  openTelemetrySink,
} from './event/open-telemetry.ts';
export { redactEvent } from './event/redact.ts';
export { type ReferenceLogOptions, referenceLog, referenceLogName } from './event/reference-log.ts';
export type { AnswerChecks, CheckContext, SearchHit } from './evidence/check-context.ts';
export { BudgetError, type Usage, type UsageTotals } from './ledger/index.ts';
export { DEFAULT_LIMITS, type Limits } from './limits.ts';
export { ModelError } from './model/model-error.ts';
export type { CallSettings, ModelSettings, ReasoningEffort } from './model/model-settings.ts';
export type { LanguageModel, ModelPrice, ModelRef } from './model/port.ts';
export type { PromptOptions } from './prompt/index.ts';
export {
  type BatchItem,
  type Command,
  createReplyParser,
  type ParsedReply,
  parseReply,
  type Rejection,
  type ReplyParser,
} from './protocol/index.ts';
export type {
  CellError,
  IsolationLevel,
  JsonValue,
  Repl,
  ReplBackend,
  RestartInfo,
  SnapshotInfo,
  VariableInfo,
} from './repl/port.ts';
export type { ReplChoice } from './repl/select.ts';
export type { FileReference, ResolveFile } from './resume/file-reference.ts';
export { createRlm, type ResumeOptions, type Rlm, type RlmStatus } from './rlm.ts';
export type { RlmOptions } from './rlm-options.ts';
export type { MapItem, MapRequest, MapResult, MapRun } from './run/map-runs.ts';
export type { CompletionRequest, CompletionRun } from './run/run-handle.ts';
export type { PlannedModel, RunEstimate, RunPlan, TypicalRun } from './run/run-plan.ts';
export { jsonSchema } from './schema/json-schema-answer.ts';
export type {
  BashResult,
  CellResult,
  ExecuteOptions,
  OpenSessionOptions,
  Session,
  SessionDivergence,
  SessionOptions,
  SessionStatus,
} from './session/session.ts';
export type { SessionState } from './session/session-state.ts';
export {
  type FollowOptions,
  followRun,
  type MemoryStoreOptions,
  memoryStore,
  type RunRecord,
  type SqliteStoreOptions,
  type Store,
  sqliteStore,
} from './store/index.ts';
export type { SubmittedRun } from './submit-run.ts';
export type { DescribedFunction, HostTool, ToolCallOptions, ToolSet } from './tools/toolbox.ts';
export type { ExecutedCommand, SubCall, Trajectory, Turn } from './trajectory.ts';
