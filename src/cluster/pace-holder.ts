import type { Redis } from 'ioredis';
import { connectionClosed } from './remote-calls.ts';

/** Milliseconds for which a process holds the pace after it was last heard of. */
const HOLD_MS = 3_000;
/** Milliseconds between two looks at who holds it. */
const LOOK_MS = 1_000;

/**
 * One process of a queue holds the pace of its calls: the one whose mailbox Redis has under a key. It renews the key; when it is gone,
 * the process that looks first takes its place.
 */
export class PaceHolder {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #own: string;
  #holder: string | undefined;
  readonly #listeners = new Set<() => void>();
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ redis, key, own }: { readonly redis: Redis; readonly key: string; readonly own: string }) {
    this.#redis = redis;
    this.#key = key;
    this.#own = own;
  }

  /** Mailbox of the process that holds the pace. @throws RlmError `cancelled` after `close` */
  async current(): Promise<string> {
    while (this.#holder === undefined) {
      // A connection that is closed refuses at once: asking it again would block this process.
      if (this.#closed) throw connectionClosed();
      await this.#look();
    }
    return this.#holder;
  }

  /** Calls `listener` whenever another process holds it. The returned function ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#holder === this.#own) await this.#redis.del(this.#key).catch(() => undefined);
  }

  #look(): Promise<void> {
    this.#looking ??= this.#ask()
      // Without Redis, the process that held it last keeps it.
      .catch(() => undefined)
      .finally(() => {
        this.#looking = undefined;
        clearTimeout(this.#timer);
        if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), LOOK_MS).unref();
      });
    return this.#looking;
  }

  async #ask(): Promise<void> {
    const taken = await this.#redis.set(this.#key, this.#own, 'PX', HOLD_MS, 'NX', 'GET');
    const holder = taken ?? this.#own;
    if (holder === this.#own) await this.#redis.pexpire(this.#key, HOLD_MS);
    if (holder === this.#holder) return;
    this.#holder = holder;
    for (const listener of [...this.#listeners]) listener();
  }
}
