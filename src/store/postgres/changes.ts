import { setTimeout as delay } from 'node:timers/promises';
import { lookRegularly, Watchers } from '../watchers.ts';
import type { Connection } from './connection.ts';

/** Milliseconds for which changes of runs are gathered: one message for each run that changed. */
const GATHER_MS = 50;
/** Milliseconds between two looks without a message: one may be lost with its connection, or never come behind a pooler. */
const LOOK_MS = 2_000;
/** Milliseconds until a lost connection is opened again. */
const RETRY_MS = 500;

export interface ChangesOptions {
  readonly connection: Connection;
  /** Reads the stop requests of the runs that are watched. */
  readonly onLook: (runIds: readonly string[]) => void;
}

/**
 * Changes of runs, from process to process by `NOTIFY`. A message has the id of a run and is a hint: who gets it reads what is stored.
 * It is sent after the transaction, because `NOTIFY` inside of one makes all others wait for its commit.
 */
export class Changes {
  readonly watchers: Watchers;
  readonly #connection: Connection;
  readonly #look: () => void;
  readonly #regularly: (watched: boolean) => void;
  readonly #closing = new AbortController();
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #listening: Promise<void> | undefined;

  constructor({ connection, onLook }: ChangesOptions) {
    this.#connection = connection;
    this.#look = () => {
      this.watchers.anyChanged();
      const { stopped } = this.watchers;
      if (stopped.length > 0) onLook(stopped);
    };
    this.#regularly = lookRegularly(this.#look, LOOK_MS);
    this.watchers = new Watchers((watched) => {
      this.#regularly(watched);
      if (watched) this.#listening ??= this.#listen(onLook);
    });
  }

  /** A run has changed, or is asked to end. */
  changed(runId: string): void {
    this.watchers.changed(runId);
    this.#changed.add(runId);
    this.#timer ??= setTimeout(() => void this.#notify(), GATHER_MS).unref();
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    this.#regularly(false);
    this.#closing.abort();
    await this.#notify();
    await this.#listening;
  }

  async #notify(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ids = [...this.#changed];
    this.#changed.clear();
    if (ids.length === 0) return;
    const text = 'SELECT pg_notify($1, id) FROM unnest($2::text[]) AS id';
    const { channel } = this.#connection;
    // Who waits for it looks by itself as well.
    await this.#connection.once((client) => client.query(text, [channel, ids])).catch(() => undefined);
  }

  async #listen(onLook: ChangesOptions['onLook']): Promise<void> {
    const { signal } = this.#closing;
    const closed = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    while (!signal.aborted) {
      const { isOpen, lost, close } = await this.#connection.listen((runId) => {
        this.watchers.changed(runId);
        if (this.watchers.stopped.includes(runId)) onLook([runId]);
      });
      // Something may have been written before it listened.
      if (isOpen) this.#look();
      await Promise.race([lost, closed]);
      await close();
      if (!signal.aborted) await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
