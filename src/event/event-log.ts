import type { RunEvent } from './event.ts';

/**
 * The failure that a write must survive before it counts as stored. `written`: the death of this process. `synced`: the loss of
 * power as well.
 */
export type Durability = 'written' | 'synced';

/** Resolves when the write is stored; `undefined` when it already is. @throws RlmError `store-failure` */
export type Stored = Promise<void> | undefined;

/** Where events are stored. A store has one; the bus needs nothing else of it. */
export interface EventLog {
  append(event: RunEvent, options: AppendEventOptions): Stored;
  /** Events of one run in order of `seq`. */
  read(runId: string, range?: EventRange): Promise<readonly RunEvent[]>;
  /** The facts a resumed run needs about its own log. */
  tail(runId: string): Promise<EventTail>;
  /** Takes back the events of a run from `seq` on. For the terminal record of a run that continues. */
  truncate(runId: string, seq: number): Stored;
}

/** How an event is stored. */
export interface AppendEventOptions {
  /** See `eventIdentity`. */
  readonly identity: string | undefined;
  readonly durability: Durability;
}

/** Which events to read. */
export interface EventRange {
  /** Events with a higher number only. Default 0: from the first. */
  readonly after?: number;
  /** At most so many. Default: all. */
  readonly limit?: number;
}

/** The facts a resumed run needs about its own log. */
export interface EventTail {
  /** 0 without events. */
  readonly lastSeq: number;
  /** Of all events that have one, repeated as often as they are there. */
  readonly identities: readonly string[];
}
