import { type Store, sqliteStore } from '../../src/index.ts';
import { postgresStore } from '../../src/store/postgres/index.ts';

/** The store of a run that is killed: a folder, or the URL of a Postgres server with a schema, `postgres://…#schema`. */
export function openKillStore(place: string): Store {
  const [url = '', schema] = place.split('#');
  if (schema === undefined) return sqliteStore(place);
  return postgresStore(url, { schema, leaseMs: 1_000 });
}
