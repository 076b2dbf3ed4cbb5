import type { PoolClient } from 'pg';
import { StoreError } from '../store-error.ts';
import type { ValueStorage } from '../value-storage.ts';
import type { Access } from './query.ts';

/** Bytes of one part of a value: a row of the database. */
const ROW_BYTES = 1024 * 1024;
/** Bytes of one part elsewhere: few requests, and little memory. */
const OBJECT_BYTES = 16 * 1024 * 1024;

/** The content of a value as it is stored. */
export interface Content {
  readonly packed: boolean;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Where the parts of a value are. */
export interface StoredParts {
  readonly id: string;
  readonly packed: boolean;
  /** Null: in the database. */
  readonly place: string | null;
  readonly parts: number | null;
}

/** One transaction at a time stores or deletes a value: a claim must not meet its deletion. */
export const LOCK_VALUE = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))';

/** The parts of values. */
export interface ValueParts {
  /** Stores a value within a transaction that has its lock. */
  insert(client: PoolClient, id: string, content: Content): Promise<void>;
  /** The parts one after the other, so that a large value is never in memory. */
  of(blob: StoredParts): AsyncIterable<Uint8Array>;
  /** Deletes parts elsewhere that no value has. */
  sweep(): Promise<void>;
}

export interface PartsOptions {
  readonly location: string;
  readonly values: ValueStorage | undefined;
}

/** Time after which parts that were announced and have no value are those of a process that ended. */
const ABANDONED = "interval '1 hour'";
/** Values that one sweep deletes. */
const SWEPT_AT_ONCE = 100;

export function valueParts(access: Access, { location, values }: PartsOptions): ValueParts {
  return values === undefined ? inDatabase(access, location) : elsewhere(access, { location, values });
}

function inDatabase(access: Access, location: string): ValueParts {
  return {
    async insert(client, id, { packed, pieces }) {
      await client.query('INSERT INTO blobs (id, packed) VALUES ($1, $2)', [id, packed]);
      let no = 0;
      for await (const body of inParts(pieces, ROW_BYTES)) {
        await client.query('INSERT INTO blob_parts (blob, no, body) VALUES ($1, $2, $3)', [id, no++, body]);
      }
    },
    of(blob) {
      if (blob.place !== null) throw otherPlace(blob, location, 'the database alone');
      return rowsOf(access, blob);
    },
    sweep: () => Promise.resolve(),
  };
}

/** Values that were stored before are read from the database. */
function elsewhere(
  access: Access,
  { location, values }: { readonly location: string; readonly values: ValueStorage },
): ValueParts {
  const { write, read, large } = access;
  const { location: place } = values;
  async function* objectsOf(blob: StoredParts): AsyncIterable<Uint8Array> {
    for (let no = 0; no < (blob.parts ?? 0); no++) {
      const part = await values.get(blob.id, no);
      if (part === undefined) throw partMissing(blob, no);
      yield part;
    }
  }
  return {
    async insert(client, id, { packed, pieces }) {
      // In a transaction of its own: the parts of a process that ends before its commit are found and deleted.
      const announced = `
        INSERT INTO blob_leftovers (blob, place) VALUES ($1, $2)
        ON CONFLICT (blob) DO UPDATE SET place = excluded.place, since = excluded.since`;
      await write({ text: announced, values: [id, place] });
      let no = 0;
      for await (const body of inParts(pieces, OBJECT_BYTES)) await values.put(id, no++, body);
      const row = 'INSERT INTO blobs (id, packed, place, parts) VALUES ($1, $2, $3, $4)';
      await client.query(row, [id, packed, place, no]);
      await client.query('DELETE FROM blob_leftovers WHERE blob = $1', [id]);
    },
    of(blob) {
      if (blob.place === null) return rowsOf(access, blob);
      if (blob.place !== place) throw otherPlace(blob, location, place);
      return objectsOf(blob);
    },
    async sweep() {
      const text = `
        SELECT blob FROM blob_leftovers WHERE place = $1 AND since < clock_timestamp() - ${ABANDONED}
        ORDER BY since LIMIT ${SWEPT_AT_ONCE}`;
      for (const { blob } of await read<{ blob: string }>({ text, values: [place] })) {
        await large(async (client) => {
          await client.query('BEGIN');
          await client.query(LOCK_VALUE, [blob]);
          // Stored again since: then its parts are needed.
          const known = await client.query('SELECT 1 FROM blobs WHERE id = $1', [blob]);
          if (known.rows.length === 0) await values.delete(blob);
          await client.query('DELETE FROM blob_leftovers WHERE blob = $1', [blob]);
          await client.query('COMMIT');
        });
      }
    },
  };
}

async function* rowsOf({ read }: Access, { id }: StoredParts): AsyncIterable<Uint8Array> {
  const text = 'SELECT body FROM blob_parts WHERE blob = $1 AND no = $2';
  for (let no = 0; ; no++) {
    const [part] = await read<{ body: Buffer }>({ text, values: [id, no] });
    if (part === undefined) return;
    yield part.body;
  }
}

/** Pieces of any size as parts of one size; the last one is smaller. */
async function* inParts(pieces: AsyncIterable<Uint8Array>, bytes: number): AsyncIterable<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; ) {
      const taken = Buffer.from(piece.subarray(start, start + bytes - length));
      waiting.push(taken);
      length += taken.length;
      start += taken.length;
      if (length < bytes) continue;
      yield Buffer.concat(waiting);
      waiting = [];
      length = 0;
    }
  }
  if (length > 0) yield Buffer.concat(waiting);
}

function otherPlace({ id, place }: StoredParts, location: string, own: string): StoreError {
  const message = `The value ${id} of the store at ${location} is kept in ${place}; this process was given ${own}: give the store the same option values (FATHOM_VALUES) as its writers.`;
  return new StoreError({ message, userAction: true, data: { blob: id, place } });
}

function partMissing({ id, place }: StoredParts, no: number): StoreError {
  return new StoreError({
    message: `Part ${no} of the value ${id} is missing in ${place}.`,
    data: { blob: id, place },
  });
}
