/** Large values in S3, beside a store in Postgres. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../../../test/servers/postgres-server.ts';
import { type S3Server, startS3 } from '../../../test/servers/s3-server.ts';
import { type Opened, storeConformance } from '../conformance.testing.ts';
import type { Store } from '../index.ts';
import { postgresStore } from './postgres-store.ts';
import { s3Values } from './s3-values.ts';

if (NO_POSTGRES !== undefined) console.warn(`The tests of values in S3 are skipped: ${NO_POSTGRES}`);

describe.skipIf(NO_POSTGRES !== undefined)('values in S3', () => {
  let server: PostgresServer;
  let s3: S3Server;
  let made = 0;
  let schema = '';
  let store: Store;
  beforeAll(async () => {
    [server, s3] = await Promise.all([startPostgres(), startS3()]);
    for (const [name, value] of Object.entries(s3.env)) vi.stubEnv(name, value);
  }, 60_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await Promise.all([server.stop(), s3.close()]);
  });

  const open = (values = s3Values(s3.url)): Store => postgresStore(server.url, { schema, values });

  storeConformance('postgres with S3', (): Opened => {
    schema = `s3_store_${++made}`;
    let opened = open();
    return {
      get store() {
        return opened;
      },
      async again() {
        await opened.close();
        opened = open();
        return opened;
      },
      beside: () => open(),
      end: () => opened.close(),
    };
  });

  describe('of one store', () => {
    beforeEach(() => {
      schema = `s3_${++made}`;
      store = open();
    });
    afterEach(async () => {
      s3.refuse = () => undefined;
      await store.close();
    });

    async function query(text: string): Promise<readonly unknown[]> {
      const client = new pg.Client({ connectionString: server.url, options: `-c search_path=${schema}` });
      await client.connect();
      try {
        return (await client.query(text)).rows;
      } finally {
        await client.end();
      }
    }
    const keys = (id: string): readonly string[] => [...s3.objects.keys()].filter((key) => key.includes(id));
    /** Noise, which no compression makes smaller. */
    const noise = (bytes: number): Buffer => {
      const made = Buffer.alloc(bytes);
      for (let at = 0, state = 42; at < bytes; at++) {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
        made[at] = state >> 16;
      }
      return made;
    };

    it('are there once, in parts, by the hash of their content, and none is in the database', async () => {
      const value = noise(1_000_000);
      const ref = await store.blobs.put(value, 'one');
      await store.blobs.put(value, 'two');
      expect(keys(ref.id)).toEqual([`fathom/${ref.id}/0`]);
      expect(s3.requests.filter((request) => request === `PUT fathom/${ref.id}/0`)).toHaveLength(1);
      expect(await query('SELECT count(*)::int AS count FROM blob_parts')).toEqual([{ count: 0 }]);
      expect(Buffer.compare(await store.blobs.bytes(ref), value)).toBe(0);
    });

    it('stay while one of their owners has them, and go with the last', async () => {
      const ref = await store.blobs.put('a text that two runs have', 'one');
      await store.blobs.put('a text that two runs have', 'two');
      await store.blobs.release('one');
      expect(keys(ref.id)).toHaveLength(1);
      expect(await store.blobs.text(ref)).toBe('a text that two runs have');
      await store.blobs.release('two', ref);
      expect(keys(ref.id)).toEqual([]);
      expect(await query('SELECT * FROM blob_leftovers')).toEqual([]);
    });

    it('that could not be deleted are deleted with a later release, unless they were stored again', async () => {
      const [gone, again] = [await store.blobs.put('is gone', 'one'), await store.blobs.put('comes again', 'one')];
      s3.refuse = (request) => (request.startsWith('POST') ? 403 : undefined);
      await expect(store.blobs.release('one')).rejects.toMatchObject({ code: 'store-failure', userAction: true });
      s3.refuse = () => undefined;
      await store.blobs.put('comes again', 'two');
      await store.blobs.release('another');
      expect(keys(gone.id)).toEqual([]);
      expect(await store.blobs.text(again)).toBe('comes again');
    });

    it('whose writer failed leave nothing behind', async () => {
      const file = noise(100_000);
      s3.refuse = (request) => (request.startsWith('PUT') ? 403 : undefined);
      await expect(store.blobs.put(file, 'one')).rejects.toMatchObject({
        code: 'store-failure',
        message: expect.stringContaining('s3://values/fathom/'),
      });
      s3.refuse = () => undefined;
      const [left] = (await query('SELECT blob FROM blob_leftovers')) as readonly { readonly blob: string }[];
      (s3.objects as Map<string, Buffer>).set(`fathom/${left?.blob}/0`, Buffer.from('half'));
      await store.blobs.release('another');
      expect(keys(left?.blob ?? ''), 'a writer may still be at it').toHaveLength(1);
      await query(`UPDATE blob_leftovers SET since = since - interval '2 hours'`);
      await store.blobs.release('another');
      expect(keys(left?.blob ?? '')).toEqual([]);
    });

    it('that are damaged or missing are found out', async () => {
      const [damaged, missing] = [
        await store.blobs.put(noise(5_000), 'one'),
        await store.blobs.put(noise(6_000), 'one'),
      ];
      (s3.objects as Map<string, Buffer>).set(`fathom/${damaged.id}/0`, Buffer.from('other'));
      (s3.objects as Map<string, Buffer>).delete(`fathom/${missing.id}/0`);
      await expect(store.blobs.bytes(damaged)).rejects.toThrow('is damaged');
      await expect(store.blobs.bytes(missing)).rejects.toThrow('is missing in s3://values/fathom/');
    });

    it('need the option in every process; those from before it are read from the database', async () => {
      const without = postgresStore(server.url, { schema });
      const [old, other] = [await without.blobs.put('old', 'one'), await store.blobs.put('new', 'one')];
      expect(await store.blobs.text(old)).toBe('old');
      await expect(without.blobs.text(other)).rejects.toThrow('FATHOM_VALUES');
      await without.close();
    });

    it('are refused by storage that does not know the key', async () => {
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOTHER');
      const stranger = open(s3Values(s3.url));
      await expect(stranger.blobs.put('x', 'one')).rejects.toMatchObject({ code: 'store-failure', userAction: true });
      vi.stubEnv('AWS_ACCESS_KEY_ID', s3.env.AWS_ACCESS_KEY_ID);
      await stranger.close();
    });
  });

  it.each(['http://values', 's3://', 's3://key:secret@values/x', 'values'])('refuse the URL %s', (url) => {
    expect(() => s3Values(url)).toThrow('s3://bucket/prefix');
  });
});
