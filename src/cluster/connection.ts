import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionOptions, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { invalidOption } from '../argument-checks.ts';
import { type HeartbeatOptions, redisLocation, redisUnreachable, watchRedis } from './heartbeat.ts';
import { Mailbox } from './mailbox.ts';
import type { IsPresent } from './presence.ts';
import { connectRedis, loadRedisPackages, type RedisPackages } from './redis.ts';
import { RemoteCalls, type Serve } from './remote-calls.ts';

/** Which Redis, and which queue there. */
export interface ClusterOptions {
  /** `redis://user:password@host:6379`, or `rediss://…` with TLS. */
  readonly redis: string;
  /** Its workers and those who ask them have the same name. Default `fathom`. */
  readonly queue?: string;
  /** How long Redis may be silent before what needs it fails. Milliseconds, from 1 000. Default 60 000. */
  readonly retryMs?: number;
}

/** How a process hears of Redis. */
export type RedisReports = Pick<HeartbeatOptions, 'onReport' | 'onSilence' | 'onLost'>;

/** An open connection of a process that asks or works. */
export interface ClusterConnection {
  readonly packages: RedisPackages;
  readonly redis: Redis;
  /** Names in BullMQ: the queue of children, and that of whole runs. */
  readonly queueName: string;
  readonly runQueueName: string;
  readonly calls: RemoteCalls;
  /** Keeps this process known to those whose children it runs, or who run its children, until it is closed. */
  announce(reports: RedisReports): void;
  /** Whether the process of a mailbox is known. */
  readonly isPresent: IsPresent;
  /** A key in Redis of this queue. */
  key(name: string): string;
  /** A connection of its own, for a queue or a worker of BullMQ. */
  connect(): ConnectionOptions;
  close(): Promise<void>;
}

/** Milliseconds for which a process is known after it was last heard of: three beats. */
const PRESENCE_MS = 3_000;

const QUEUE_NAME = /^[\w-]{1,64}$/;

/** Default of {@link ClusterOptions.retryMs}: a server that is started again has read its data by then. */
const RETRY_MS = 60_000;
const LEAST_RETRY_MS = 1_000;
/** The same for a server that was never reached: its name or port may be wrong. */
const FIRST_TRY_MS = 10_000;

/**
 * Opens a connection.
 *
 * @throws RlmError `invalid-option` for invalid options, and where packages are missing; `store-failure` where Redis is not reached
 */
export async function openConnection(
  { redis: url, queue = 'fathom', retryMs = RETRY_MS }: ClusterOptions,
  serve: Serve,
): Promise<ClusterConnection> {
  if (typeof url !== 'string' || !/^rediss?:\/\//.test(url))
    throw invalidOption('The option redis has to be a URL such as redis://localhost:6379');
  if (!QUEUE_NAME.test(queue))
    throw invalidOption(`The option queue has to be 1 to 64 letters, digits, - and _, not ${JSON.stringify(queue)}`);
  if (!(retryMs >= LEAST_RETRY_MS)) throw invalidOption(`The option retryMs has to be at least ${LEAST_RETRY_MS}`);
  const packages = await loadRedisPackages();
  const opened: Redis[] = [];
  const connect = (): Redis => {
    const connection = connectRedis(packages, url);
    opened.push(connection);
    return connection;
  };
  const redis = connect();
  const location = redisLocation(url);
  try {
    await firstAnswer(redis, Math.min(retryMs, FIRST_TRY_MS));
  } catch (error) {
    redis.disconnect();
    throw redisUnreachable(location, error);
  }
  const calls = new RemoteCalls(serve);
  const prefix = `fathom:${queue}`;
  const mailbox = new Mailbox({ prefix, redis, waiting: connect(), onMessage: (message) => calls.take(message) });
  calls.open(mailbox);
  const presence = (id: string): string => `${prefix}:present:${id}`;
  let stopWatching = (): void => undefined;
  const beat = (): Promise<unknown> => redis.set(presence(mailbox.id), 1, 'PX', PRESENCE_MS);
  return {
    packages,
    redis,
    queueName: `fathom-${queue}`,
    runQueueName: `fathom-${queue}-runs`,
    calls,
    announce(reports) {
      beat().catch(() => undefined); // The heartbeat counts its silence.
      stopWatching = watchRedis({ beat, location, retryMs, ...reports });
    },
    isPresent: async (id) => (await redis.exists(presence(id))) > 0,
    key: (name) => `${prefix}:${name}`,
    connect: () => connect() as unknown as ConnectionOptions,
    async close() {
      stopWatching();
      calls.close();
      await withoutRedis(redis.del(presence(mailbox.id)));
      await withoutRedis(mailbox.close());
      for (const each of opened) each.disconnect();
    },
  };
}

/** @throws the last error of the connection, or that of its time */
async function firstAnswer(redis: Redis, waitMs: number): Promise<void> {
  let last: unknown = new Error(`no answer within ${waitMs / 1_000} s`);
  const note = (error: unknown): void => {
    last = error;
  };
  redis.on('error', note);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(last), waitMs);
  try {
    await Promise.race([redis.ping(), late.promise]);
  } finally {
    clearTimeout(timer);
    redis.off('error', note);
  }
}

/** Milliseconds that closing waits for a Redis that may have gone. */
const CLOSE_MS = 2_000;

/** Closes something that is of no use without Redis: waits for it a little, and never fails. */
export async function withoutRedis(closing: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  const inTime = closing.then(
    () => undefined,
    () => undefined, // Nothing is left to close there.
  );
  await Promise.race([inTime, delay(CLOSE_MS, undefined, { signal: late.signal }).catch(() => undefined)]);
  late.abort();
}

/** A queue, to add to it. */
export function openQueue({ packages, connect }: ClusterConnection, name: string): Queue {
  const queue = new packages.bullmq.Queue(name, { connection: connect() });
  queue.on('error', () => undefined);
  return queue;
}
