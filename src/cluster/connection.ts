import type { ConnectionOptions, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { invalidOption } from '../argument-checks.ts';
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
}

/** An open connection of a process that asks or works. */
export interface ClusterConnection {
  readonly packages: RedisPackages;
  readonly redis: Redis;
  /** The queue's name in BullMQ. */
  readonly queueName: string;
  readonly calls: RemoteCalls;
  /** Keeps this process known to those whose children it runs, or who run its children, until it is closed. */
  announce(): void;
  /** Whether the process of a mailbox is known. */
  readonly isPresent: IsPresent;
  /** A key in Redis of this queue. */
  key(name: string): string;
  /** A connection of its own, for a queue or a worker of BullMQ. */
  connect(): ConnectionOptions;
  close(): Promise<void>;
}

/** Milliseconds for which a process is known after it was last heard of. */
const PRESENCE_MS = 3_000;

const QUEUE_NAME = /^[\w-]{1,64}$/;

/** Opens a connection. @throws RlmError `invalid-option` for invalid options, and where packages are missing */
export async function openConnection(
  { redis: url, queue = 'fathom' }: ClusterOptions,
  serve: Serve,
): Promise<ClusterConnection> {
  if (typeof url !== 'string' || !/^rediss?:\/\//.test(url))
    throw invalidOption('The option redis has to be a URL such as redis://localhost:6379');
  if (!QUEUE_NAME.test(queue))
    throw invalidOption(`The option queue has to be 1 to 64 letters, digits, - and _, not ${JSON.stringify(queue)}`);
  const packages = await loadRedisPackages();
  const opened: Redis[] = [];
  const connect = (): Redis => {
    const connection = connectRedis(packages, url);
    opened.push(connection);
    return connection;
  };
  const redis = connect();
  const calls = new RemoteCalls(serve);
  const prefix = `fathom:${queue}`;
  const mailbox = new Mailbox({ prefix, redis, waiting: connect(), onMessage: (message) => calls.take(message) });
  calls.open(mailbox);
  const presence = (id: string): string => `${prefix}:present:${id}`;
  let timer: NodeJS.Timeout | undefined;
  const announce = (): void => {
    redis.set(presence(mailbox.id), 1, 'PX', PRESENCE_MS).catch(() => undefined);
  };
  return {
    packages,
    redis,
    queueName: `fathom-${queue}`,
    calls,
    announce() {
      announce();
      timer = setInterval(announce, PRESENCE_MS / 3).unref();
    },
    isPresent: async (id) => (await redis.exists(presence(id))) > 0,
    key: (name) => `${prefix}:${name}`,
    connect: () => connect() as unknown as ConnectionOptions,
    async close() {
      clearInterval(timer);
      await redis.del(presence(mailbox.id)).catch(() => undefined);
      await mailbox.close();
      for (const each of opened) each.disconnect();
    },
  };
}

/** The queue of children. */
export function openQueue({ packages, queueName, connect }: ClusterConnection): Queue {
  const queue = new packages.bullmq.Queue(queueName, { connection: connect() });
  queue.on('error', () => undefined);
  return queue;
}
