import type { JsonValue } from '../repl/port.ts';

/** The record of a session. */
export interface SessionRecord {
  readonly id: string;
  readonly state: 'initializing' | 'ready' | 'executing' | 'paused' | 'terminated' | 'expired';
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly expiresAt: string;
  readonly extensions: number;
  /** Further state that the session needs when it is opened again: options, usage, snapshots, counters. */
  readonly more: JsonValue;
}

/** Which sessions to list. */
export interface SessionFilter {
  readonly state?: SessionRecord['state'] | readonly SessionRecord['state'][];
  /** ISO 8601: expired at that time. */
  readonly expiredAt?: string;
  /** Default 100. */
  readonly limit?: number;
}
