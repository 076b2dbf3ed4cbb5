import type { Pool } from 'pg';
import { StoreError } from '../store-error.ts';

/**
 * The migrations from version n to n + 1. Released ones never change; a store of any released version opens.
 *
 * An open store is a row of `owners`, which it renews: its lease. It writes in one transaction a group, and each of these
 * moves `written` from n - 1 to n: so a group is stored once, however often it is sent, and an owner whose row is gone can store
 * nothing. `body` columns hold JSON as text: the type jsonb cannot hold all of it.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE owners (
    id text PRIMARY KEY, words text NOT NULL, written bigint NOT NULL DEFAULT 0, expires timestamptz NOT NULL
  );
  CREATE TABLE locks (name text PRIMARY KEY, owner text NOT NULL, holder text NOT NULL, fence bigint NOT NULL);
  CREATE INDEX locks_by_owner ON locks (owner);
  CREATE SEQUENCE fences;
  CREATE TABLE runs (
    id text COLLATE "C" PRIMARY KEY, parent text, trace text NOT NULL, session text, status text NOT NULL,
    created text COLLATE "C" NOT NULL, body text NOT NULL
  );
  CREATE INDEX runs_by_time ON runs (created DESC, id DESC);
  CREATE INDEX runs_by_trace ON runs (trace);
  CREATE INDEX runs_by_session ON runs (session) WHERE session IS NOT NULL;
  CREATE TABLE events (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run text NOT NULL, seq integer NOT NULL, identity text, body text NOT NULL
  );
  CREATE INDEX events_by_run ON events (run, seq);
  CREATE TABLE journal (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner text NOT NULL, kind text NOT NULL, key text NOT NULL, body text NOT NULL
  );
  CREATE INDEX journal_by_owner ON journal (owner, n);
  CREATE TABLE sessions (
    id text COLLATE "C" PRIMARY KEY, state text NOT NULL, created text COLLATE "C" NOT NULL,
    expires text COLLATE "C" NOT NULL, body text NOT NULL
  );
  CREATE TABLE blobs (id text PRIMARY KEY, packed boolean NOT NULL);
  CREATE TABLE blob_parts (
    blob text NOT NULL REFERENCES blobs (id) ON DELETE CASCADE, no integer NOT NULL, body bytea NOT NULL,
    PRIMARY KEY (blob, no)
  );
  ALTER TABLE blob_parts ALTER COLUMN body SET STORAGE EXTERNAL;
  CREATE TABLE blob_owners (blob text NOT NULL, owner text NOT NULL, PRIMARY KEY (blob, owner));
  CREATE INDEX blobs_by_owner ON blob_owners (owner);

  -- Whether the lease of an owner is in force.
  CREATE FUNCTION is_alive(wanted text) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT EXISTS (SELECT 1 FROM owners WHERE id = wanted AND expires > clock_timestamp())
  $$;

  -- Takes a lock, from an owner whose lease has ended as well: that owner's row is deleted, so that it can store nothing more.
  CREATE FUNCTION take_lock(wanted text, taker text, words text)
  RETURNS TABLE (taken bigint, held_by text, held_words text) LANGUAGE plpgsql AS $$
  DECLARE
    held locks%ROWTYPE;
  BEGIN
    LOOP
      INSERT INTO locks VALUES (wanted, taker, words, nextval('fences')) ON CONFLICT (name) DO NOTHING RETURNING * INTO held;
      IF FOUND THEN RETURN QUERY SELECT held.fence, NULL::text, NULL::text; RETURN; END IF;
      SELECT * INTO held FROM locks WHERE name = wanted FOR UPDATE;
      CONTINUE WHEN NOT FOUND;
      IF held.owner = taker AND held.holder = words THEN -- The same call, made again.
        RETURN QUERY SELECT held.fence, NULL::text, NULL::text; RETURN;
      END IF;
      IF held.owner <> taker THEN
        -- Waits for an owner that writes just now, and looks again whether its lease has ended.
        DELETE FROM owners WHERE id = held.owner AND expires <= clock_timestamp();
      END IF;
      IF held.owner = taker OR EXISTS (SELECT 1 FROM owners WHERE id = held.owner) THEN
        RETURN QUERY SELECT NULL::bigint, held.owner, held.holder; RETURN;
      END IF;
      UPDATE locks SET owner = taker, holder = words, fence = nextval('fences') WHERE name = wanted RETURNING * INTO held;
      RETURN QUERY SELECT held.fence, NULL::text, NULL::text; RETURN;
    END LOOP;
  END
  $$;

  -- Gives up the claims of an owner, on one value or on all, and deletes the values without an owner.
  CREATE FUNCTION release_blobs(claimer text, wanted text) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    given text;
  BEGIN
    FOR given IN SELECT blob FROM blob_owners WHERE owner = claimer AND blob = coalesce(wanted, blob) ORDER BY blob LOOP
      PERFORM pg_advisory_xact_lock(hashtextextended(given, 0));
      DELETE FROM blob_owners WHERE blob = given AND owner = claimer;
      DELETE FROM blobs WHERE id = given AND NOT EXISTS (SELECT 1 FROM blob_owners WHERE blob = given);
    END LOOP;
  END
  $$;
  `,
  `
  CREATE TABLE stop_requests (run text PRIMARY KEY, action text NOT NULL, reason text NOT NULL);

  -- Where the parts of a value are, and how many; null: in blob_parts.
  ALTER TABLE blobs ADD COLUMN place text, ADD COLUMN parts integer;
  -- Values elsewhere that may have no row in blobs: parts that are being written, or are to be deleted.
  CREATE TABLE blob_leftovers (blob text PRIMARY KEY, place text NOT NULL, since timestamptz NOT NULL DEFAULT clock_timestamp());

  CREATE OR REPLACE FUNCTION release_blobs(claimer text, wanted text) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    given text;
  BEGIN
    FOR given IN SELECT blob FROM blob_owners WHERE owner = claimer AND blob = coalesce(wanted, blob) ORDER BY blob LOOP
      PERFORM pg_advisory_xact_lock(hashtextextended(given, 0));
      DELETE FROM blob_owners WHERE blob = given AND owner = claimer;
      INSERT INTO blob_leftovers (blob, place, since)
        SELECT id, place, '-infinity' FROM blobs
        WHERE id = given AND place IS NOT NULL AND NOT EXISTS (SELECT 1 FROM blob_owners WHERE blob = given)
        ON CONFLICT (blob) DO UPDATE SET since = excluded.since;
      DELETE FROM blobs WHERE id = given AND NOT EXISTS (SELECT 1 FROM blob_owners WHERE blob = given);
    END LOOP;
  END
  $$;
  `,
];

/** The version this code writes. */
const SCHEMA_VERSION: number = MIGRATIONS.length;

/** Two numbers that name the advisory lock under which a database is migrated. */
const MIGRATION_LOCK = [0x4674, 0x686d] as const;

/** Which tables, and where they are, for messages. */
interface Tables {
  readonly schema: string;
  readonly location: string;
}

/** Brings a schema to this version, with others that do the same. @throws StoreError for a newer version */
export async function migrate(pool: Pool, tables: Tables): Promise<void> {
  if ((await versionOf(pool, tables)) === SCHEMA_VERSION) return;
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1, $2)', [...MIGRATION_LOCK]);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${tables.schema}`);
    await client.query('CREATE TABLE IF NOT EXISTS fathom_version (version integer NOT NULL)');
    // Another process may have brought it here in between.
    const { rows } = await client.query<{ version: number }>('SELECT version FROM fathom_version');
    for (const migration of MIGRATIONS.slice(rows[0]?.version ?? 0)) await client.query(migration);
    await client.query('DELETE FROM fathom_version');
    await client.query('INSERT INTO fathom_version VALUES ($1)', [SCHEMA_VERSION]);
    await client.query('COMMIT');
    client.release();
  } catch (error) {
    client.release(error instanceof Error ? error : true);
    throw error;
  }
}

/** The version a schema has; 0 for one that is not there. @throws StoreError for a newer version */
async function versionOf(pool: Pool, { schema, location }: Tables): Promise<number> {
  const table = `${schema}.fathom_version`;
  const there = await pool.query<{ name: string | null }>('SELECT to_regclass($1) AS name', [table]);
  if (there.rows[0]?.name === null) return 0;
  const { rows } = await pool.query<{ version: number }>(`SELECT version FROM ${table}`);
  const version = rows[0]?.version ?? 0;
  if (version <= SCHEMA_VERSION) return version;
  throw new StoreError({
    message:
      `The store at ${location} has version ${version}; this Fathom knows versions up to ${SCHEMA_VERSION}. ` +
      'Use the newer Fathom that wrote it, or another schema.',
    userAction: true,
    data: { location, version, known: SCHEMA_VERSION },
  });
}
