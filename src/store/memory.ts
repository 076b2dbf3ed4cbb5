import { readFile, writeFile } from 'node:fs/promises';
import type { RunEvent } from '../event/event.ts';
import { selectRuns, selectSessions } from './filter.ts';
import type {
  BlobRef,
  BlobStore,
  EventLog,
  EventTail,
  JournalEntry,
  JournalLog,
  RunTable,
  SessionTable,
  Store,
  Stored,
} from './port.ts';
import type { RunRecord } from './run-record.ts';
import type { SessionRecord } from './session-record.ts';
import { StoreError, storeClosed } from './store-error.ts';

export interface MemoryStoreOptions {
  /**
   * Trees of runs that have ended and are kept with their events; the oldest are forgotten. Default 50. What only a
   * resume would need, the journal and the context, is given up as soon as a run has ended.
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
 * A store that lives and dies with this process. A write is stored as soon as it is handed over. Values are kept by
 * reference: what is handed over must not be changed later.
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
  const locks = new Map<string, string>();
  const settle = (run: RunRecord): void => {
    journals.delete(run.id);
    void blobs.release(run.id);
  };
  const forget = (run: RunRecord): void => void events.delete(run.id);
  return {
    location: LOCATION,
    runs: memoryRuns(access, { keepRuns, settle, forget }),
    events: memoryEvents(events, access),
    journal: memoryJournal(journals, access),
    sessions: memorySessions(access),
    blobs,
    lock(name, holder) {
      const heldBy = locks.get(name);
      if (heldBy !== undefined) return Promise.resolve({ ok: false, heldBy });
      locks.set(name, holder);
      return Promise.resolve({ ok: true, lock: { release: () => void locks.delete(name) } });
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

function memoryRuns(
  { open, write }: Access,
  options: {
    readonly keepRuns: number;
    readonly settle: (run: RunRecord) => void;
    readonly forget: (run: RunRecord) => void;
  },
): RunTable {
  const runs = new Map<string, RunRecord>();
  /** Ended roots, oldest first. */
  const ended = new Set<string>();
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
  function add(record: RunRecord): void {
    const hasEnded = ENDED.has(record.status);
    runs.set(record.id, record);
    if (hasEnded) options.settle(record);
    if (record.parentRunId !== undefined) return;
    if (hasEnded) ended.add(record.id);
    else ended.delete(record.id);
    forgetOldest();
  }
  return {
    put: (record) => write(() => add(record)),
    async get(id) {
      open();
      return runs.get(id);
    },
    async list(filter) {
      open();
      return selectRuns(runs.values(), filter);
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
      // As read from a disk: nobody gets a value that somebody else may change.
      return JSON.parse(JSON.stringify(logs.get(journalId) ?? [])) as readonly JournalEntry[];
    },
  };
}

function memorySessions({ open, write }: Access): SessionTable {
  const sessions = new Map<string, SessionRecord>();
  return {
    put: (record) => write(() => void sessions.set(record.id, record)),
    async get(id) {
      open();
      return sessions.get(id);
    },
    async list(filter) {
      open();
      return selectSessions(sessions.values(), filter);
    },
    delete: (id) => write(() => void sessions.delete(id)),
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
