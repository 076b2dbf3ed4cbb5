import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../../../test/servers/postgres-server.ts';
import { type Opened, storeConformance } from '../conformance.testing.ts';
import type { RunRecord, Store } from '../index.ts';
import { postgresStore } from './postgres-store.ts';

if (NO_POSTGRES !== undefined) console.warn(`The tests of the store in Postgres are skipped: ${NO_POSTGRES}`);

describe.skipIf(NO_POSTGRES !== undefined)('on a server', () => {
  let server: PostgresServer;
  let made = 0;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());

  describe('a change of a run', () => {
    let one: Store;
    let other: Store;
    let client: pg.Client;
    beforeEach(async () => {
      const schema = `changes_${++made}`;
      one = postgresStore(server.url, { schema });
      other = postgresStore(server.url, { schema });
      client = new pg.Client({ connectionString: server.url, options: `-c search_path=${schema}` });
      await client.connect();
    });
    afterEach(async () => {
      vi.useRealTimers();
      await Promise.all([one.close(), other.close(), client.end()]);
    });

    const record = { id: 'r', traceId: 'r', depth: 0, status: 'completed', createdAt: '', updatedAt: '' } as RunRecord;

    it('is heard of by a message, without looking', async () => {
      vi.useFakeTimers({ toFake: ['setInterval'] });
      const changed = vi.fn();
      const end = other.watch('r', changed);
      const channel = `fathom_changes_${made}`;
      // The first call is the look after the connection listens.
      await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 15_000 });
      changed.mockClear();
      await one.runs.put(record);
      await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 15_000 });
      // A message is a hint: one from elsewhere does no harm.
      await client.query(`SELECT pg_notify($1, 'r'), pg_notify($1, ''), pg_notify($1, repeat('x', 5000))`, [channel]);
      end();
    });

    it('is found by looking where no message comes', async () => {
      await one.runs.put(record);
      const changed = vi.fn();
      const end = other.watch('r', changed);
      await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 15_000 });
      await client.query(`UPDATE runs SET status = 'failed'`);
      changed.mockClear();
      await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 15_000 });
      expect(await other.runs.get('r')).toMatchObject({ status: 'failed' });
      end();
    });

    it('is heard of again after the connection that listens was lost', async () => {
      vi.useFakeTimers({ toFake: ['setInterval'] });
      const changed = vi.fn();
      const end = other.watch('r', changed);
      await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 15_000 });
      changed.mockClear();
      await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`);
      // It looks once it listens again.
      await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 15_000 });
      changed.mockClear();
      await one.runs.put(record);
      await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 15_000 });
      end();
    });
  });

  storeConformance('postgres', (): Opened => {
    const schema = `store_${++made}`;
    let store = postgresStore(server.url, { schema });
    return {
      get store() {
        return store;
      },
      async again() {
        await store.close();
        store = postgresStore(server.url, { schema });
        return store;
      },
      beside: () => postgresStore(server.url, { schema }),
      end: () => store.close(),
    };
  });
});
