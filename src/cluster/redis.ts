import type { Redis } from 'ioredis';
import { RlmError } from '../errors.ts';

const INSTALL = 'npm install bullmq@6 ioredis@6';

/** The queue and the client of Redis: optional peer dependencies. */
export interface RedisPackages {
  readonly bullmq: typeof import('bullmq');
  readonly ioredis: Pick<typeof import('ioredis'), 'Redis'>;
}

/** @throws RlmError `invalid-option` that says how to install them */
export async function loadRedisPackages(): Promise<RedisPackages> {
  try {
    const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { bullmq, ioredis };
  } catch (error) {
    throw new RlmError({
      code: 'invalid-option',
      message: `Runs over several machines need the packages bullmq and ioredis: run \`${INSTALL}\`.`,
      cause: error,
      userAction: true,
      data: { install: INSTALL },
    });
  }
}

/** Milliseconds between two tries to connect. */
const RECONNECT_MS = 200;
/** Milliseconds without an answer after which a connection is opened again: no command waits that long. */
const SILENT_MS = 20_000;

/** A connection that reconnects for as long as it is open, and sends again what was not answered. */
export function connectRedis({ ioredis }: RedisPackages, url: string): Redis {
  const redis = new ioredis.Redis(url, {
    maxRetriesPerRequest: null,
    // A server that is gone without a word, or a partition, would be noticed after a quarter of an hour.
    socketTimeout: SILENT_MS,
    retryStrategy: () => RECONNECT_MS,
    // A server that is restarted refuses commands until it has read its data.
    reconnectOnError: (error) => (/LOADING|READONLY/.test(error.message) ? 2 : false),
  });
  // Each command waits for the connection; its loss is not an error.
  redis.on('error', () => undefined);
  return redis;
}
