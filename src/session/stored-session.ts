import type { Clock } from '../clock.ts';
import { RlmError } from '../errors.ts';
import { createEventBus } from '../event/bus.ts';
import type { EventBody } from '../event/event.ts';
import type { IsolationLevel, JsonValue } from '../repl/port.ts';
import type { RecordedModels } from '../resume/recorded-models.ts';
import type { RunOwner, SessionRecord, Store, StoredContext, StoreLock } from '../store/index.ts';
import { processInWords } from '../store/lock-owner.ts';
import type { SessionStatus } from './session.ts';
import { extended, type SessionConfig } from './session-config.ts';
import { checkOpen, type SessionState } from './session-state.ts';
import type { RecordedTools } from './session-tools.ts';

/** The contents of a session's record besides its state. */
export interface StoredConfig {
  readonly contexts: readonly StoredContext[];
  readonly backend: string;
  /** The isolation that its REPL really had. */
  readonly isolation: IsolationLevel;
  readonly limits: SessionConfig['limits'];
  readonly extensionMs: number;
  readonly maxExtensions: number;
  /** Who opened it through a door. */
  readonly owner?: RunOwner;
  /** The models it was created with. */
  readonly models: RecordedModels;
  /** The tools that its cells could call. */
  readonly tools?: RecordedTools;
  /** The tools were given to the session; else they were those of its `Rlm`. */
  readonly ownTools?: boolean;
  /** Its state when its REPL was last closed. */
  readonly last?: Pick<SessionStatus, 'usage' | 'variables' | 'snapshots' | 'commands' | 'diverged'>;
  /** Operations in its log at that moment. */
  readonly lastOperation?: number;
}

/** A session as recorded, without its REPL. */
export interface StoredSession extends StoredConfig {
  readonly id: string;
  /** A session whose time is over is expired, also before the record says so. */
  readonly state: SessionState;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly expiresAt: string;
  readonly extensions: number;
}

/** The parts that functions on records need. */
export interface StoredAccess {
  readonly store: Store;
  readonly clock: Clock;
}

/** The part of a session's record that is not its state. */
export function storedConfig({ more }: SessionRecord): StoredConfig {
  return more as unknown as StoredConfig;
}

/** Reads a record. */
export function storedSession(record: SessionRecord, now: number): StoredSession {
  const { id, state, createdAt, updatedAt, expiresAt, extensions } = record;
  const over = Date.parse(expiresAt) <= now && state !== 'terminated';
  return { ...storedConfig(record), id, state: over ? 'expired' : state, createdAt, updatedAt, expiresAt, extensions };
}

const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** The record of a session. @throws RlmError `session-not-found` */
export async function sessionRecord(id: string, store: Store): Promise<SessionRecord> {
  const record = ULID.test(id) ? await store.sessions.get(id) : undefined;
  if (record !== undefined) return record;
  throw new RlmError({
    code: 'session-not-found',
    message: `There is no session ${id} in the store (${store.location}).`,
    userAction: true,
    data: { id },
  });
}

/**
 * Makes this process the one that has a session open.
 *
 * @throws RlmError `session-locked` naming the process that has it
 */
export async function lockSession(id: string, store: Store): Promise<StoreLock> {
  const result = await store.lock(lockName(id), processInWords());
  if (result.ok) return result.lock;
  throw new RlmError({
    code: 'session-locked',
    message: `Session ${id} is in use by ${result.heldBy}: close it there first, or wait until what it does has ended.`,
    userAction: true,
    data: { id, holder: result.heldBy, ...(result.process !== undefined && { process: result.process }) },
  });
}

/** Does something with a session that no other process has open meanwhile. */
async function whileLocked<T>(id: string, store: Store, work: () => Promise<T>): Promise<T> {
  const lock = await lockSession(id, store);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function lockName(id: string): string {
  return `session ${id}`;
}

/**
 * Adds to the time of a session that no process has open, without bringing it back.
 *
 * @throws RlmError `session-not-found`, `session-closed`, `session-expired`, `extension-limit`, `session-locked`
 */
export async function extendStored(id: string, access: StoredAccess): Promise<SessionRecord> {
  await openRecord(id, access);
  return await whileLocked(id, access.store, () => extendLocked(id, access));
}

async function extendLocked(id: string, access: StoredAccess): Promise<SessionRecord> {
  const record = await openRecord(id, access);
  const now = { expiresAt: Date.parse(record.expiresAt), extensions: record.extensions };
  const longer = extended(id, now, storedConfig(record));
  const expiresAt = new Date(longer.expiresAt).toISOString();
  const changed = { ...record, expiresAt, extensions: longer.extensions };
  await emit(id, [{ type: 'session.extended', sessionId: id, state: record.state, expiresAt }], access);
  return await put(changed, access);
}

/**
 * Ends a session that no process has open, for good. One that has ended already is left as it is.
 *
 * @throws RlmError `session-not-found`, `session-locked`
 */
export async function closeStored(id: string, access: StoredAccess): Promise<SessionRecord> {
  await sessionRecord(id, access.store);
  return await whileLocked(id, access.store, () => closeLocked(id, access));
}

/** Ends stored sessions whose time is over and that no process has open. */
export async function reapStored(access: StoredAccess): Promise<void> {
  const { store, clock } = access;
  const expired = await store.sessions.list({
    expiredAt: new Date(clock.now()).toISOString(),
    state: ['initializing', 'ready', 'executing', 'paused'],
  });
  for (const { id } of expired) {
    const result = await store.lock(lockName(id), processInWords());
    if (!result.ok) continue;
    try {
      await closeLocked(id, access);
    } finally {
      result.lock.release();
    }
  }
}

async function closeLocked(id: string, access: StoredAccess): Promise<SessionRecord> {
  const record = await sessionRecord(id, access.store);
  if (record.state === 'terminated' || record.state === 'expired') return record;
  const over = storedSession(record, access.clock.now()).state === 'expired';
  return await endRecord(record, over ? 'expired' : 'terminated', access);
}

/** Writes down that a stored session has ended, and gives up what it held. */
async function endRecord(
  record: SessionRecord,
  state: 'terminated' | 'expired',
  access: StoredAccess,
): Promise<SessionRecord> {
  const { id, expiresAt } = record;
  const type = state === 'expired' ? 'session.expired' : 'session.closed';
  await emit(
    id,
    [
      { type: 'session.state', sessionId: id, state, expiresAt },
      { type, sessionId: id, state },
    ],
    access,
  );
  const ended = await put({ ...record, state }, access);
  await access.store.blobs.release(id);
  return ended;
}

async function openRecord(id: string, { store, clock }: StoredAccess): Promise<SessionRecord> {
  const record = await sessionRecord(id, store);
  checkOpen(id, storedSession(record, clock.now()).state);
  return record;
}

async function put(record: SessionRecord, { store, clock }: StoredAccess): Promise<SessionRecord> {
  const changed = { ...record, updatedAt: new Date(clock.now()).toISOString() };
  await store.sessions.put(changed);
  return changed;
}

async function emit(id: string, events: readonly EventBody[], { store, clock }: StoredAccess): Promise<void> {
  const bus = createEventBus({ runId: id, traceId: id, clock, store, tail: await store.events.tail(id) });
  for (const event of events) bus.emit(event);
  await bus.flush();
  bus.close();
}

/** The record of a session in its present state. */
export function recordOf(status: SessionStatus, stored: StoredConfig, now: number): SessionRecord {
  const { id, createdAt, expiresAt, extensions, usage, variables, snapshots, commands, diverged } = status;
  const last: StoredConfig['last'] = { usage, variables, snapshots, commands, ...(diverged && { diverged }) };
  return {
    id,
    // A session whose process died while it worked is as ready as any: what was under way is in its log.
    state: status.state === 'executing' || status.state === 'initializing' ? 'ready' : status.state,
    createdAt,
    updatedAt: new Date(now).toISOString(),
    expiresAt,
    extensions,
    more: { ...stored, last } as unknown as JsonValue,
  };
}
