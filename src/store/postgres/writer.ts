import type { PoolClient, QueryResultRow } from 'pg';
import { StoreError, storeClosed } from '../store-error.ts';
import type { Connection } from './connection.ts';
import { type Append, appendAll, ask, type Query } from './query.ts';

type Rows = readonly QueryResultRow[];

/** A write that was submitted. It is sent again when a connection was lost. */
interface Submitted {
  readonly write: Query | Append;
  /** Gives its rows where it was stored already. */
  readonly again: Query | undefined;
}

export interface WriterOptions {
  readonly connection: Connection;
  /** The owner in whose name it writes. */
  readonly owner: string;
  /** In words, for those who meet its locks. */
  readonly words: string;
  /** How long the lease lasts after each write. Milliseconds. */
  readonly leaseMs: number;
}

/** Writes that share one transaction. */
interface Group {
  readonly writes: Submitted[];
  /** Resolves to the rows of each write. */
  readonly stored: PromiseWithResolvers<readonly Rows[]>;
}

/** Most writes of one transaction. */
const GROUP_WRITES = 500;

/**
 * Writes in groups: what is submitted while a transaction is under way shares the next one, so that they are stored in the order
 * in which they were submitted. Each transaction renews the lease, and is refused once another owner has taken it over.
 *
 * The first failure is the last write: what came after it could otherwise be stored without it.
 */
export class Writer {
  readonly #options: WriterOptions;
  #group: Group = newGroup();
  #working: Promise<void> | undefined;
  #failure: unknown;
  #closed = false;
  /** Number of the last group that was stored; -1: its lease does not exist yet. */
  #written = -1;
  /** By `performance.now()`, which no change of the wall clock moves and which continues while the process is stopped. */
  #ownedUntil = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  /** Full groups that wait for their turn. */
  readonly #waiting: Group[] = [];

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Submits a write. Resolves to its rows when it is stored.
   *
   * @param again gives the rows where the write was stored and its connection was lost; default: there are none
   * @throws StoreError
   */
  add(write: Query | Append, again?: Query): Promise<Rows> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closed) return Promise.reject(storeClosed(this.#options.connection.location));
    const group = this.#group;
    const at = group.writes.push({ write, again }) - 1;
    if (group.writes.length >= GROUP_WRITES) this.#next();
    this.#working ??= this.#work();
    return handled(group.stored.promise.then((rows) => rows[at] ?? []));
  }

  /** Milliseconds for which the lease surely lasts. It is renewed where they are less than a third of it. @throws StoreError */
  ownedForMs(): number | Promise<number> {
    const left = this.#ownedUntil - performance.now();
    if (this.#failure === undefined && left > this.#options.leaseMs / 3) return left;
    return this.add(NOTHING).then(() => this.#ownedUntil - performance.now());
  }

  /** Resolves when everything submitted so far is stored or has failed. */
  async settled(): Promise<void> {
    await this.#working;
  }

  /** Stores what is left, and gives the lease up. @throws StoreError */
  async close(): Promise<void> {
    try {
      if (this.#failure !== undefined || (this.#written < 0 && this.#working === undefined)) return;
      const text = 'WITH gone AS (DELETE FROM locks WHERE owner = $1) DELETE FROM owners WHERE id = $1';
      await this.add({ text, values: [this.#options.owner] });
    } finally {
      this.#closed = true;
      clearTimeout(this.#timer);
    }
  }

  #next(): void {
    this.#waiting.push(this.#group);
    this.#group = newGroup();
  }

  async #work(): Promise<void> {
    // Writes of one round of the event loop share a transaction.
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      if (this.#waiting.length === 0 && this.#group.writes.length > 0) this.#next();
      const group = this.#waiting.shift();
      if (group === undefined) break;
      try {
        if (this.#failure !== undefined) throw this.#failure;
        group.stored.resolve(await this.#store(group));
      } catch (error) {
        this.#failure ??= error;
        group.stored.reject(this.#failure);
      }
    }
    this.#working = undefined;
    this.#renewLater();
  }

  async #store(group: Group): Promise<readonly Rows[]> {
    const number = this.#written + 1;
    const start = performance.now();
    const rows = await this.#options.connection.run('Writing in', async (client) => {
      // Synced, whatever the writes ask for: a server that is killed would otherwise forget what its client takes for stored.
      await client.query('BEGIN');
      const [lease] = await ask(client, this.#renewal(number));
      const results = await (lease === undefined ? this.#resultsOf(client, group, number) : sendAll(client, group));
      await client.query('COMMIT');
      return results;
    });
    this.#written = number;
    // The server counts from the moment at which it renewed the lease, which is later.
    this.#ownedUntil = start + this.#options.leaseMs;
    return rows;
  }

  #renewal(number: number): Query {
    const { owner, words, leaseMs } = this.#options;
    const expires = `clock_timestamp() + $1 * interval '1 millisecond'`;
    if (number > 0) {
      const text = `UPDATE owners SET written = $3, expires = ${expires} WHERE id = $2 AND written = $3 - 1 RETURNING 1`;
      return { text, values: [leaseMs, owner, number] };
    }
    const text = `
      INSERT INTO owners (id, words, written, expires) VALUES ($2, $3, 0, ${expires}) ON CONFLICT (id) DO NOTHING RETURNING 1`;
    return { text, values: [leaseMs, owner, words] };
  }

  /**
   * The group was stored by a try whose connection was lost before it answered; otherwise the lease is lost.
   */
  async #resultsOf(client: PoolClient, group: Group, number: number): Promise<readonly Rows[]> {
    const { connection, owner } = this.#options;
    const [row] = await ask<{ written: string }>(client, {
      text: 'SELECT written FROM owners WHERE id = $1',
      values: [owner],
    });
    if (row === undefined || Number(row.written) !== number) throw leaseLost(connection.location);
    const results: Rows[] = [];
    for (const { again } of group.writes) results.push(again === undefined ? [] : await ask(client, again));
    return results;
  }

  /** Keeps the lease while nothing is written; a process that only waits for it may end. */
  #renewLater(): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#failure !== undefined) return;
    const renew = (): void => void this.add(NOTHING).catch(() => undefined);
    this.#timer = setTimeout(renew, this.#options.leaseMs / 3).unref();
  }
}

/** A write that only waits for those before it, and renews the lease. */
export const NOTHING: Query = { text: 'SELECT 1' };

/** Sends the writes of a group. Rows that follow each other into the same logs are sent together. */
async function sendAll(client: PoolClient, { writes }: Group): Promise<readonly Rows[]> {
  const results: Rows[] = [];
  const waiting = new Map<Append['table'], (readonly unknown[])[]>();
  const appendWaiting = async (): Promise<void> => {
    for (const [table, rows] of waiting) await ask(client, appendAll(table, rows));
    waiting.clear();
  };
  for (const { write } of writes) {
    if ('table' in write) {
      const rows = waiting.get(write.table);
      if (rows === undefined) waiting.set(write.table, [write.row]);
      else rows.push(write.row);
      results.push([]);
      continue;
    }
    await appendWaiting();
    results.push(await ask(client, write));
  }
  await appendWaiting();
  return results;
}

/** @returns the error of an owner whose lease ended and was taken over */
export function leaseLost(location: string): StoreError {
  return new StoreError({
    message:
      `This process lost its lease on the store at ${location}: it was stopped or cut off for longer than the lease lasts, and another ` +
      'process took over what it worked on. Nothing more is stored or sent from here.',
    data: { location, lost: true },
  });
}

function newGroup(): Group {
  const stored: Group['stored'] = Promise.withResolvers();
  void handled(stored.promise);
  return { writes: [], stored };
}

/** Waiting callers get the failure; without one, an unhandled rejection would end the process. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
