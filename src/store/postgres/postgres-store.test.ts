import { afterAll, beforeAll, describe } from 'vitest';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../../../test/servers/postgres-server.ts';
import { type Opened, storeConformance } from '../conformance.testing.ts';
import { postgresStore } from './postgres-store.ts';

if (NO_POSTGRES !== undefined) console.warn(`The tests of the store in Postgres are skipped: ${NO_POSTGRES}`);

describe.skipIf(NO_POSTGRES !== undefined)('on a server', () => {
  let server: PostgresServer;
  let made = 0;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());

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
      end: () => store.close(),
    };
  });
});
