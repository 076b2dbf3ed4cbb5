import { hostname } from 'node:os';
import { ulid } from 'ulid';
import { type LockOwner, processInWords } from '../lock-owner.ts';
import type { LockHolder, LockResult, Store } from '../port.ts';
import { StoreError, storeClosed } from '../store-error.ts';
import type { ValueStorage } from '../value-storage.ts';
import { announcing } from '../watchers.ts';
import { postgresBlobs } from './blobs.ts';
import { Changes } from './changes.ts';
import { Connection } from './connection.ts';
import { postgresEvents, postgresJournal } from './logs.ts';
import type { Access } from './query.ts';
import { ask, type Query } from './query.ts';
import { postgresRuns, postgresSessions } from './records.ts';
import { postgresStops, reportStops } from './stops.ts';
import { handled, NOTHING, Writer } from './writer.ts';

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /** The schema its tables are in; made where it is missing. Default `fathom`. */
  readonly schema?: string;
  /**
   * How long this process owns its runs and sessions without writing: after that, another may take them over. Milliseconds,
   * from 1 000. Default 15 000.
   */
  readonly leaseMs?: number;
  /** How long a lost connection is tried again before the store fails. Milliseconds. Default 30 000. */
  readonly retryMs?: number;
  /** Keeps the content of large values, such as {@link s3Values}. All processes of a store use the same. Default: the database. */
  readonly values?: ValueStorage;
}

/** Default of {@link PostgresStoreOptions.leaseMs}. */
const LEASE_MS = 15_000;
/** Least lease: three renewals have to fit in it. */
const LEAST_LEASE_MS = 1_000;

const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/** Ids of the stores that this process has open. */
const open = new Set<string>();

/**
 * A store in Postgres, for processes on any number of machines. Each run and each open session has one owner, by a lease;
 * a run whose owner's lease has ended is `interrupted`, and a process that takes it over fences the former owner: it can store nothing
 * more. The connection opens with the first use. It needs the package `pg`.
 *
 * @param url `postgres://user:password@host:5432/database`
 * @throws StoreError for invalid options; later, when the server stays out of reach or the lease is lost
 *
 * @example
 * ```ts
 * const rlm = createRlm({ model: 'openai/gpt-5', store: postgresStore(process.env.DATABASE_URL) });
 * ```
 */
export function postgresStore(url: string, options: PostgresStoreOptions = {}): Store {
  const { schema = 'fathom', leaseMs = LEASE_MS, retryMs, values } = checked(url, options);
  const connection = new Connection({ url, schema, leaseMs, ...(retryMs !== undefined && { retryMs }) });
  const { location } = connection;
  const owner = ulid();
  const since = new Date().toISOString();
  const words = JSON.stringify({ words: processInWords(), pid: process.pid, host: hostname(), since });
  const writer = new Writer({ connection, owner, words, leaseMs });
  open.add(owner);
  let closing: Promise<void> | undefined;
  const access: Access = {
    write: (write) => handled(writer.add(write).then(() => undefined)),
    async read(query) {
      if (closing !== undefined) throw storeClosed(location);
      await writer.settled();
      return await connection.run('Reading in', (client) => ask(client, query));
    },
    large: (work) => connection.large('Moving a value of', work),
  };
  const changes: Changes = new Changes({
    connection,
    onLook: (runIds) => reportStops({ read: access.read, watchers: changes.watchers }, runIds),
  });
  async function close(): Promise<void> {
    try {
      await writer.close();
    } finally {
      open.delete(owner);
      await changes.close();
      await Promise.all([connection.close(), values?.close()]);
    }
  }
  return {
    location,
    ...announcing({ runs: postgresRuns(access), events: postgresEvents(access) }, (runId) => changes.changed(runId)),
    stops: postgresStops(access, changes),
    watch: (runId, onChange) => changes.watchers.watchRun(runId, onChange),
    holder: (name) => findHolder(access, name),
    journal: postgresJournal(access),
    sessions: postgresSessions(access),
    blobs: postgresBlobs(access, { owner, location, values }),
    lock: (name, holder) => takeLock(writer, { name, owner, holder, since }),
    ownedForMs: () => writer.ownedForMs(),
    flush: () => access.write(NOTHING),
    close: () => (closing ??= close()),
  };
}

function checked(url: unknown, options: PostgresStoreOptions): PostgresStoreOptions {
  const problem = problemOf(url, options);
  if (problem === undefined) return options;
  throw new StoreError({ message: `A store in Postgres cannot be opened: ${problem}.`, userAction: true });
}

function problemOf(url: unknown, { schema = 'fathom', leaseMs = LEASE_MS }: PostgresStoreOptions): string | undefined {
  if (typeof url !== 'string' || !/^postgres(?:ql)?:\/\//.test(url))
    return 'the URL has to begin with postgres://, as in postgres://user:password@host:5432/database';
  if (!SCHEMA_NAME.test(schema))
    return `the schema has to consist of small letters, digits and _, not ${JSON.stringify(schema)}`;
  return leaseMs >= LEAST_LEASE_MS ? undefined : `leaseMs has to be at least ${LEAST_LEASE_MS}, not ${leaseMs}`;
}

interface Lock {
  readonly name: string;
  readonly owner: string;
  readonly holder: string;
  readonly since: string;
}

async function takeLock(writer: Writer, { name, owner, holder, since }: Lock): Promise<LockResult> {
  // Unique, so that the same call is recognised when it is made again.
  const words = JSON.stringify({ words: holder, pid: process.pid, host: hostname(), since, call: ulid() });
  const take: Query = { text: 'SELECT * FROM take_lock($1, $2, $3)', values: [name, owner, words] };
  const [row] = await writer.add(take, take);
  if (row?.taken === null) return { ok: false, ...heldBy(String(row.held_words), String(row.held_by)) };
  const fence = String(row?.taken);
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    // A store that is closed, or that failed, has given up its locks.
    const text = 'DELETE FROM locks WHERE name = $1 AND owner = $2 AND fence = $3';
    writer.add({ text, values: [name, owner, fence] }).catch(() => undefined);
  };
  return { ok: true, lock: { release } };
}

async function findHolder({ read }: Access, name: string): Promise<LockHolder | undefined> {
  const text = `
    SELECT locks.owner, locks.holder FROM locks JOIN owners ON owners.id = locks.owner
    WHERE locks.name = $1 AND owners.expires > clock_timestamp()`;
  const [row] = await read<{ owner: string; holder: string }>({ text, values: [name] });
  return row === undefined ? undefined : heldBy(row.holder, row.owner);
}

/** A process elsewhere is never confirmed: no signal from here reaches it. */
function heldBy(words: string, owner: string): LockHolder {
  const { words: holder, pid, host, since } = JSON.parse(words) as { readonly words: string } & LockOwner;
  return { heldBy: holder, process: { pid, host, since, confirmed: open.has(owner) } };
}
