/**
 * Where runs, events, journals, sessions and large values are kept.
 *
 * @example
 * ```ts
 * const rlm = createRlm({ model: 'openai/gpt-5', store: sqliteStore('.fathom') });
 * ```
 *
 * @module
 */
export type { LockOwner } from './lock-owner.ts';
export { type MemoryStoreOptions, memoryStore } from './memory.ts';
export type {
  AppendEventOptions,
  BlobRef,
  BlobStore,
  Durability,
  EventLog,
  EventRange,
  EventTail,
  JournalEntry,
  JournalLog,
  LockResult,
  RunTable,
  SessionTable,
  Store,
  Stored,
  StoreLock,
} from './port.ts';
export {
  RESUMABLE,
  type RunFilter,
  type RunRecord,
  type RunRequest,
  type RunResult,
  type RunStatus,
  type StoredContext,
} from './run-record.ts';
export type { SessionFilter, SessionRecord } from './session-record.ts';
export { type SqliteStoreOptions, sqliteStore } from './sqlite/sqlite-store.ts';
export { StoreError } from './store-error.ts';
