/**
 * A store in Postgres, for processes on several machines.
 *
 * @module
 */
export { type PostgresStoreOptions, postgresStore } from './postgres-store.ts';
