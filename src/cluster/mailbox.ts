import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { ulid } from 'ulid';
import type { JsonValue } from '../repl/port.ts';

/** A message between two mailboxes. */
export interface Message {
  readonly from: string;
  /** Grows by one with each message of a sender to a mailbox: a message that was sent twice is read once. */
  readonly number: number;
  readonly body: JsonValue;
}

export interface MailboxOptions {
  /** Prefix of its keys in Redis. */
  readonly prefix: string;
  /** For commands. */
  readonly redis: Redis;
  /** A connection of its own, which waits for messages. */
  readonly waiting: Redis;
  readonly onMessage: (message: Message) => void;
}

/** Messages read at once. */
const READ_AT_ONCE = 200;
/** Milliseconds for which a read waits. */
const READ_WAIT_MS = 5_000;
/** Milliseconds until a read that failed is tried again. */
const RETRY_MS = 100;
/** Seconds after which the mailbox of a process that ended is forgotten. */
const KEPT_SECONDS = 3_600;

/**
 * A stream of Redis that one process reads. Messages of one sender arrive once and in order; they wait in Redis while the reader is
 * cut off, and survive a restart of Redis that keeps its data.
 */
export class Mailbox {
  readonly id: string = ulid();
  readonly #options: MailboxOptions;
  readonly #sent = new Map<string, number>();
  readonly #read = new Map<string, number>();
  #last = '0';
  #closed = false;
  readonly #reading: Promise<void>;

  constructor(options: MailboxOptions) {
    this.#options = options;
    this.#reading = this.#readAll();
  }

  /** Sends a message. Resolves when Redis has it. */
  async post(to: string, body: JsonValue): Promise<void> {
    const number = (this.#sent.get(to) ?? 0) + 1;
    this.#sent.set(to, number);
    const { redis } = this.#options;
    const key = this.#key(to);
    await redis.xadd(key, '*', 'from', this.id, 'number', number, 'body', JSON.stringify(body));
    if (number === 1) await redis.expire(key, KEPT_SECONDS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.waiting.disconnect();
    await this.#reading;
    await this.#options.redis.del(this.#key(this.id)).catch(() => undefined);
  }

  #key(id: string): string {
    return `${this.#options.prefix}:mailbox:${id}`;
  }

  async #readAll(): Promise<void> {
    const { waiting, redis, onMessage } = this.#options;
    const key = this.#key(this.id);
    while (!this.#closed) {
      try {
        const found = await waiting.xread('COUNT', READ_AT_ONCE, 'BLOCK', READ_WAIT_MS, 'STREAMS', key, this.#last);
        const entries = found?.[0]?.[1] ?? [];
        for (const [id, fields] of entries) {
          this.#last = id;
          const message = toMessage(fields);
          if (message.number <= (this.#read.get(message.from) ?? 0)) continue;
          this.#read.set(message.from, message.number);
          onMessage(message);
        }
        if (entries.length === 0) {
          // A stream that Redis has forgotten begins again, by a clock that may be behind; messages are known by their numbers.
          if ((await redis.exists(key)) === 0) this.#last = '0';
          continue;
        }
        await redis.xtrim(key, 'MINID', this.#last);
        await redis.expire(key, KEPT_SECONDS);
      } catch {
        // The client opens a lost connection again, until the mailbox is closed.
        if (this.#closed) return;
        await delay(RETRY_MS);
      }
    }
  }
}

function toMessage(fields: readonly string[]): Message {
  const value = (name: string): string => fields[fields.indexOf(name) + 1] ?? '';
  return { from: value('from'), number: Number(value('number')), body: JSON.parse(value('body')) as JsonValue };
}
