import { setTimeout as delay } from 'node:timers/promises';
import type { Client, Pool, PoolClient } from 'pg';
import { StoreError, storeClosed, storeFailure } from '../store-error.ts';
import { migrate } from './schema.ts';

/** Milliseconds after which the server counts as unreachable, and a query is tried on a new connection. */
const ANSWER_MS = 10_000;
/** Milliseconds for which a lost connection is tried again before the store fails. */
const RETRY_MS = 30_000;
/** The same for a server that was never reached: its name or port may be wrong. */
const FIRST_TRY_MS = 2_000;
/** Milliseconds between two tries. */
const RETRY_PAUSE_MS = 200;
/** Connections of one store: one for writes, the others for reads and large values. */
const CONNECTIONS = 4;

export interface ConnectionOptions {
  readonly url: string;
  readonly schema: string;
  /** Milliseconds for which a transaction may wait for this process. */
  readonly leaseMs: number;
  /** How long it tries again. Milliseconds. Default {@link RETRY_MS}. */
  readonly retryMs?: number;
}

/** Longest name of a channel. */
const CHANNEL_CHARS = 63;

/** A connection that listens, until it is lost. */
export interface Listening {
  readonly isOpen: boolean;
  readonly lost: Promise<void>;
  close(): Promise<void>;
}

/** The connections of one store. Work that can be repeated is, on a new connection, while the server is out of reach. */
export class Connection {
  readonly location: string;
  readonly #options: ConnectionOptions;
  #pool: Promise<Pool> | undefined;
  #reached = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.location = locationOf(options.url, options.schema);
  }

  /**
   * Runs work that may be repeated. `what` begins the message of its failure, e.g. `Reading in`.
   *
   * @throws StoreError when it fails, or the server stays out of reach
   */
  async run<T>(what: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
    const start = performance.now();
    const { retryMs = RETRY_MS } = this.#options;
    for (;;) {
      try {
        return await this.#once(work, ANSWER_MS);
      } catch (error) {
        if (this.#closed) throw storeClosed(this.location);
        const patience = this.#reached ? retryMs : Math.min(retryMs, FIRST_TRY_MS);
        if (!isConnectionLoss(error) || performance.now() - start >= patience)
          throw storeFailure(what, this.location, error);
        await delay(RETRY_PAUSE_MS);
      }
    }
  }

  /** Runs work once, however long it takes. @throws StoreError */
  async large<T>(what: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
    // A value may take long; a silent server is found out first.
    await this.run(what, (client) => client.query('SELECT 1'));
    try {
      return await this.#once(work);
    } catch (error) {
      throw storeFailure(what, this.location, error);
    }
  }

  /** Runs work once, and gives up where the server does not answer. */
  async once<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return await this.#once(work, ANSWER_MS);
  }

  /** The channel of this schema's messages. */
  get channel(): string {
    return `fathom_${this.#options.schema}`.slice(0, CHANNEL_CHARS);
  }

  /** Opens a connection that only listens; it keeps no process alive. `isOpen` is false where there is no connection now. */
  async listen(onMessage: (text: string) => void): Promise<Listening> {
    const lost = Promise.withResolvers<void>();
    try {
      await this.#open();
      const client = new (await loadClient()).Client({ ...this.#settings(), keepAlive: true });
      client.on('error', () => lost.resolve());
      client.on('end', () => lost.resolve());
      client.on('notification', ({ payload }) => onMessage(payload ?? ''));
      await client.connect();
      const { ref, unref } = client as Client & Record<'ref' | 'unref', () => void>; // Not in its types.
      await client.query(`LISTEN ${this.channel}`);
      unref.call(client);
      const close = async (): Promise<void> => {
        ref.call(client); // The process waits for its end.
        await client.end().catch(() => undefined);
      };
      return { isOpen: true, lost: lost.promise, close };
    } catch {
      lost.resolve(); // Work on the store itself meets the same failure and reports it.
      return { isOpen: false, lost: lost.promise, close: () => Promise.resolve() };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const pool = await this.#pool?.catch(() => undefined);
    await pool?.end();
  }

  async #once<T>(work: (client: PoolClient) => Promise<T>, answerMs?: number): Promise<T> {
    const pool = await this.#open();
    const client = await pool.connect();
    const silence = Promise.withResolvers<never>();
    const timer =
      answerMs === undefined ? undefined : setTimeout(() => silence.reject(new ServerSilent(answerMs)), answerMs);
    let failure: Error | undefined;
    try {
      return await Promise.race([work(client), silence.promise]);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      clearTimeout(timer);
      // A connection that failed in any way is not used again: it may be in the middle of a transaction.
      client.release(failure);
    }
  }

  #settings(): {
    readonly connectionString: string;
    readonly connectionTimeoutMillis: number;
    readonly options: string;
    readonly application_name: string;
  } {
    const { url, schema } = this.#options;
    return {
      connectionString: url,
      connectionTimeoutMillis: ANSWER_MS,
      options: `-c search_path=${schema}`,
      application_name: 'fathom',
    };
  }

  #open(): Promise<Pool> {
    if (this.#closed) throw storeClosed(this.location);
    if (this.#pool === undefined) {
      const opening = this.#connect();
      opening.catch(() => {
        if (this.#pool === opening) this.#pool = undefined;
      });
      this.#pool = opening;
    }
    return this.#pool;
  }

  async #connect(): Promise<Pool> {
    const { schema, leaseMs } = this.#options;
    const { Pool } = await loadClient();
    const pool = new Pool({
      ...this.#settings(),
      max: CONNECTIONS,
      keepAlive: true,
      // A process that is stopped within a transaction would keep those who want to take its runs over waiting.
      idle_in_transaction_session_timeout: leaseMs,
      // Nothing idle keeps the process alive.
      allowExitOnIdle: true,
    });
    // An idle connection that is lost is replaced when one is needed.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    try {
      await migrate(pool, { schema, location: this.location });
      this.#reached = true;
      return pool;
    } catch (error) {
      void pool.end();
      throw error;
    }
  }
}

/** The client of Postgres: an optional peer dependency. @throws StoreError that says how to install it */
async function loadClient(): Promise<typeof import('pg')['default']> {
  try {
    return (await import('pg')).default;
  } catch (error) {
    const install = 'npm install pg@8';
    const message = `A store in Postgres needs the package pg: run \`${install}\`.`;
    throw new StoreError({ message, cause: error, userAction: true, data: { install } });
  }
}

/** The server did not answer in time. */
class ServerSilent extends Error {
  readonly code = 'ETIMEDOUT';

  constructor(answerMs: number) {
    super(`the server did not answer within ${answerMs / 1_000} s`);
    this.name = 'ServerSilent';
  }
}

/** Codes of sockets, and of Postgres: shut down, crashed, starting up, idle for too long; deadlock, serialization; too many connections. */
const LOST: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'],
  ...['57P01', '57P02', '57P03', '25P03', '40001', '40P01', '53300', '08000', '08003', '08006'],
]);

/** The connection, not the statement, failed: the server may be back soon. */
function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  // The client has no codes of its own.
  return typeof code === 'string'
    ? LOST.has(code)
    : /connection (?:terminated|timeout)|not queryable|timeout exceeded/i.test(error.message);
}

/** Where it is, without a password. */
function locationOf(url: string, schema: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? `postgres (${schema})` : `postgres://${parsed.host}${parsed.pathname} (schema ${schema})`;
}
