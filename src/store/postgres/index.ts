/**
 * A store in Postgres, for processes on several machines.
 *
 * @module
 */

export type { ValueStorage } from '../value-storage.ts';
export { type PostgresStoreOptions, postgresStore } from './postgres-store.ts';
export { s3Values } from './s3-values.ts';
