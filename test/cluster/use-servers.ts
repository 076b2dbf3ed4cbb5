import { afterAll, beforeAll, vi } from 'vitest';
import { type MockProvider, type MockProviderOptions, startMockProvider } from '../mock-provider/index.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

/** Servers of one test file. They can be used once its tests run. */
export interface Servers {
  readonly redis: RedisServer;
  readonly mock: MockProvider;
}

/** Starts Redis and a mock provider for the tests of a `describe`, whose models then have their keys and URLs from it. */
export function useServers(respond: MockProviderOptions['respond'] = () => ({ text: '' })): Servers {
  let redis: RedisServer | undefined;
  let mock: MockProvider | undefined;
  beforeAll(async () => {
    redis = await startRedis();
    mock = await startMockProvider({ respond });
    for (const [name, value] of Object.entries(mock.env)) vi.stubEnv(name, value);
  }, 60_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await mock?.close();
    await redis?.stop();
  });
  return {
    get redis() {
      return started(redis);
    },
    get mock() {
      return started(mock);
    },
  };
}

function started<T>(server: T | undefined): T {
  if (server === undefined) throw new Error('the servers start with the tests');
  return server;
}
