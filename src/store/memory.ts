import { readFile, writeFile } from 'node:fs/promises';
import type { RunEvent } from '../event/event.ts';
import type { BlobRef, BlobStore } from './blob-store.ts';
import { selectRuns, selectSessions } from './filter.ts';
import { memoryStops } from './memory-stops.ts';
import type { EventLog, EventTail, JournalEntry, JournalLog, RunTable, SessionTable, Store, Stored } from './port.ts';
import type { RunRecord } from './run-record.ts';
import type { SessionRecord } from './session-record.ts';
import { StoreError, storeClosed } from './store-error.ts';
import { announcing, Watchers } from './watchers.ts';

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /**
   * Trees of runs that have ended and are kept with their events; the oldest are forgotten. Default 50. The journal and
   * the context, which only a resume needs, are dropped as soon as a run has ended. Runs of a session are kept whole
   * until the session has ended: it is restored from them.
   */
  readonly keepRuns?: number;
}

/** How a part of the store looks and writes while it is open. */
interface Access {
  /** @throws StoreError once it is closed */
  readonly open: () => void;
  readonly write: (apply: () => void) => Stored;
}

interface LoggedEvent {
  readonly event: RunEvent;
  readonly identity: string | undefined;
}

interface MemoryBlob {
  readonly value: string | Uint8Array;
  readonly owner: string;
}

const LOCATION = 'memory';

/**
 * A store that lives and dies with this process. A write is stored as soon as it is submitted. Values are kept by
 * reference: what is submitted must not be changed later.
 */
export function memoryStore({ keepRuns = 50 }: MemoryStoreOptions = {}): Store {
  let closed = false;
  const open = (): void => {
    if (closed) throw storeClosed(LOCATION);
  };
  const write = (apply: () => void): Stored => {
    if (closed) return Promise.reject(storeClosed(LOCATION));
    apply();
    return undefined;
  };
  const access: Access = { open, write };
  const events = new Map<string, LoggedEvent[]>();
  const journals = new Map<string, JournalEntry[]>();
  const blobs = memoryBlobs(open);
  const locks = new Map<string, { readonly holder: string }>();
  const settle = (run: RunRecord): void => {
    journals.delete(run.id);
    void blobs.release(run.id);
  };
  const forget = (run: RunRecord): void => void events.delete(run.id);
  const sessions = new Map<string, SessionRecord>();
  const inSession = ({ sessionId }: RunRecord): boolean => {
    const session = sessionId === undefined ? undefined : sessions.get(sessionId);
    return session !== undefined && !SESSION_ENDED.has(session.state);
  };
  const isLocked = ({ id }: RunRecord): boolean => locks.has(`run ${id}`);
  const runs = memoryRuns(access, { keepRuns, isLocked, inSession, settle, forget });
  const watchers = new Watchers();
  const tables = { runs: runs.table, events: memoryEvents(events, access) };
  return {
    location: LOCATION,
    ...announcing(tables, (runId) => watchers.changed(runId)),
    stops: memoryStops(access, watchers),
    watch: (runId, onChange) => watchers.watchRun(runId, onChange),
    journal: memoryJournal(journals, access),
    sessions: memorySessions(sessions, access, (id) => {
      journals.delete(id);
      journals.delete(`${id}/operations`);
      runs.leaveSession(id);
    }),
    blobs,
    lock(name, holder) {
      const other = locks.get(name);
      if (other !== undefined) return Promise.resolve({ ok: false, heldBy: other.holder });
      const own = { holder };
      locks.set(name, own);
      const release = (): void => void (locks.get(name) === own && locks.delete(name));
      return Promise.resolve({ ok: true, lock: { release } });
    },
    holder(name) {
      const lock = locks.get(name);
      return Promise.resolve(lock && { heldBy: lock.holder });
    },
    flush: () => Promise.resolve(),
    close() {
      closed = true;
      events.clear();
      journals.clear();
      return Promise.resolve();
    },
  };
}

const ENDED: ReadonlySet<RunRecord['status']> = new Set(['completed', 'failed', 'aborted']);
const SESSION_ENDED: ReadonlySet<SessionRecord['state']> = new Set(['terminated', 'expired']);

interface MemoryRuns {
  readonly table: RunTable;
  /** A session has ended: its runs are as others are. */
  leaveSession(sessionId: string): void;
}

function memoryRuns(
  { open, write }: Access,
  options: {
    readonly keepRuns: number;
    /** The run is worked on. */
    readonly isLocked: (run: RunRecord) => boolean;
    /** The run belongs to a session that may still be restored. */
    readonly inSession: (run: RunRecord) => boolean;
    readonly settle: (run: RunRecord) => void;
    readonly forget: (run: RunRecord) => void;
  },
): MemoryRuns {
  const runs = new Map<string, RunRecord>();
  /** Ended roots that no session needs, oldest first. */
  const ended = new Set<string>();
  const asItStands = (run: RunRecord): RunRecord =>
    run.status === 'running' && !options.isLocked(run) ? { ...run, status: 'interrupted' } : run;
  function forgetOldest(): void {
    for (const traceId of ended) {
      if (ended.size <= options.keepRuns) return;
      ended.delete(traceId);
      for (const run of [...runs.values()].filter((each) => each.traceId === traceId)) {
        runs.delete(run.id);
        options.forget(run);
      }
    }
  }
  function end(record: RunRecord): void {
    options.settle(record);
    if (record.parentRunId === undefined) ended.add(record.id);
  }
  function add(record: RunRecord): void {
    runs.set(record.id, record);
    ended.delete(record.id);
    if (ENDED.has(record.status) && !options.inSession(record)) end(record);
    forgetOldest();
  }
  return {
    table: {
      put: (record) => write(() => add(record)),
      async get(id) {
        open();
        const run = runs.get(id);
        return run === undefined ? undefined : asItStands(run);
      },
      async list(filter) {
        open();
        return selectRuns([...runs.values()].map(asItStands), filter);
      },
    },
    leaveSession(sessionId) {
      for (const run of runs.values()) if (run.sessionId === sessionId && ENDED.has(run.status)) end(run);
      forgetOldest();
    },
  };
}

function memoryEvents(logs: Map<string, LoggedEvent[]>, { open, write }: Access): EventLog {
  return {
    append(event, { identity }) {
      return write(() => {
        const log = logs.get(event.runId);
        if (log === undefined) logs.set(event.runId, [{ event, identity }]);
        else log.push({ event, identity });
      });
    },
    async read(runId, { after = 0, limit = Number.POSITIVE_INFINITY } = {}) {
      open();
      const log = logs.get(runId) ?? [];
      const later = after === 0 ? log : log.filter(({ event }) => event.seq > after);
      return later.slice(0, limit).map(({ event }) => event);
    },
    async tail(runId): Promise<EventTail> {
      open();
      const log = logs.get(runId) ?? [];
      return {
        lastSeq: log.at(-1)?.event.seq ?? 0,
        identities: log.flatMap(({ identity }) => (identity === undefined ? [] : [identity])),
      };
    },
    truncate(runId, seq) {
      return write(() => {
        const log = logs.get(runId) ?? [];
        logs.set(
          runId,
          log.filter(({ event }) => event.seq < seq),
        );
      });
    },
  };
}

function memoryJournal(logs: Map<string, JournalEntry[]>, { open, write }: Access): JournalLog {
  return {
    append(journalId, entry) {
      return write(() => {
        const log = logs.get(journalId);
        if (log === undefined) logs.set(journalId, [entry]);
        else log.push(entry);
      });
    },
    async read(journalId) {
      open();
      // Copies, as if read from a disk: no caller gets a value that another may change.
      return JSON.parse(JSON.stringify(logs.get(journalId) ?? [])) as readonly JournalEntry[];
    },
  };
}

function memorySessions(
  sessions: Map<string, SessionRecord>,
  { open, write }: Access,
  onEnd: (id: string) => void,
): SessionTable {
  return {
    put: (record) =>
      write(() => {
        sessions.set(record.id, record);
        if (SESSION_ENDED.has(record.state)) onEnd(record.id);
      }),
    async get(id) {
      open();
      return sessions.get(id);
    },
    async list(filter) {
      open();
      return selectSessions(sessions.values(), filter);
    },
    delete: (id) =>
      write(() => {
        sessions.delete(id);
        onEnd(id);
      }),
  };
}

/** Blobs by a running number: hashing a context that is in memory anyway would only cost time. */
function memoryBlobs(open: () => void): BlobStore {
  const blobs = new Map<string, MemoryBlob>();
  let made = 0;
  function find(ref: BlobRef): string | Uint8Array {
    open();
    const blob = blobs.get(ref.id);
    if (blob === undefined) {
      throw new StoreError({ message: `The value ${ref.id} is not in this store.`, data: { blob: ref.id } });
    }
    return blob.value;
  }
  function add(value: string | Uint8Array, owner: string): BlobRef {
    open();
    const id = `memory-${++made}`;
    blobs.set(id, { value, owner });
    if (typeof value !== 'string') return { id, bytes: value.byteLength, content: 'bytes' };
    const wellFormed = value.isWellFormed();
    const bytes = wellFormed ? Buffer.byteLength(value) : value.length * 2;
    return { id, bytes, content: wellFormed ? 'utf-8' : 'utf-16' };
  }
  const bytesOf = (ref: BlobRef): Uint8Array => {
    const value = find(ref);
    if (typeof value !== 'string') return value;
    return Buffer.from(value, ref.content === 'utf-16' ? 'utf16le' : 'utf8');
  };
  return {
    put: async (value, owner) => add(value, owner),
    putFile: async (path, owner) => add(await readFile(path), owner),
    async text(ref) {
      const value = find(ref);
      return typeof value === 'string' ? value : Buffer.from(value).toString('utf8');
    },
    bytes: async (ref) => bytesOf(ref),
    copyTo: (ref, path) => writeFile(path, bytesOf(ref)),
    async release(owner, ref) {
      for (const [id, blob] of blobs) {
        if (blob.owner === owner && (ref === undefined || ref.id === id)) blobs.delete(id);
      }
    },
  };
}
