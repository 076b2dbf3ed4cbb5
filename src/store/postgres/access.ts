import type { PoolClient, QueryResultRow } from 'pg';
import type { Durability } from '../port.ts';
import type { Append, Query } from './query.ts';

/** How the parts of a store read and write. */
export interface Access {
  /** Submits a write. @throws StoreError */
  readonly write: (write: Query | Append, durability: Durability) => Promise<void>;
  /** Runs a read that sees every write submitted before. @throws StoreError */
  readonly read: <Row extends QueryResultRow>(query: Query) => Promise<readonly Row[]>;
  /** Moves a large value, in a transaction that is not repeated. @throws StoreError */
  readonly large: <T>(work: (client: PoolClient) => Promise<T>) => Promise<T>;
}
