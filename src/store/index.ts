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
export { type FollowOptions, followRun } from './follow.ts';
export type { LockOwner } from './lock-owner.ts';
export { type MemoryStoreOptions, memoryStore } from './memory.ts';
export type {
  EventTail,
  LockResult,
  StopRequest,
  Store,
  StoreLock,
} from './port.ts';
export {
  RESUMABLE,
  type RunFilter,
  type RunOwner,
  type RunRecord,
  type RunRequest,
  type RunStatus,
  type StoredContext,
} from './run-record.ts';
export type { SessionRecord } from './session-record.ts';
export { type SqliteStoreOptions, sqliteStore } from './sqlite/sqlite-store.ts';
export { StoreError } from './store-error.ts';
