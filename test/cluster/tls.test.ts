/** TLS and passwords between the machines of a cluster. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFathom } from '../cli/run-fathom.ts';
import { type Certificate, makeCertificate, NO_OPENSSL } from '../servers/certificate.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../servers/postgres-server.ts';
import { NO_REDIS, type RedisServer, startRedis } from '../servers/redis-server.ts';

const MISSING = NO_POSTGRES ?? NO_REDIS ?? NO_OPENSSL;
if (MISSING !== undefined) console.warn(`The tests of TLS are skipped: ${MISSING}`);

describe.skipIf(MISSING !== undefined)('with TLS', () => {
  let certificate: Certificate;
  let redis: RedisServer;
  let postgres: PostgresServer;
  beforeAll(async () => {
    certificate = makeCertificate();
    [redis, postgres] = await Promise.all([
      startRedis(undefined, { certificate, password: 'pass-of-redis' }),
      startPostgres(undefined, certificate),
    ]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([redis.stop(), postgres.stop()]);
    certificate.remove();
  });

  /** Starts a worker, ends it as soon as it works, and returns its code and log. */
  async function worker(url: string, env: Readonly<Record<string, string>>): ReturnType<typeof runFathom> {
    let ended = false;
    return await runFathom(['worker', '--concurrency', '1'], {
      env: { ...env, FATHOM_REDIS: url },
      onStderr(text, child) {
        if (ended || !text.includes('Working on')) return;
        ended = true;
        child.kill('SIGTERM');
      },
    });
  }
  const withPassword = (password: string): string => redis.url.replace('//', `//:${password}@`);

  it('a worker works over Redis, with its certificate and password', async () => {
    const trust = { NODE_EXTRA_CA_CERTS: certificate.cert };
    expect(await worker(withPassword('pass-of-redis'), trust)).toMatchObject({ code: 0 });
    const wrong = await worker(withPassword('another-pass'), trust);
    expect(wrong).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/cannot be reached: .*(?:WRONGPASS|NOAUTH)/s),
    });
    expect(wrong.stderr).not.toContain('another-pass');
  }, 90_000);

  it('a worker refuses a Redis whose certificate it does not trust', async () => {
    const { code, stderr } = await worker(withPassword('pass-of-redis'), {});
    expect({ code, trusted: stderr.includes('Working on') }).toEqual({ code: 5, trusted: false });
    expect(stderr).toMatch(/self-signed certificate/);
    expect(stderr).not.toContain('pass-of-redis');
  }, 90_000);

  it('a store is reached in Postgres, and refused where its certificate is not trusted', async () => {
    const url = `postgres://fathom@localhost:${postgres.port}/postgres?sslmode=verify-full`;
    const list = (store: string): ReturnType<typeof runFathom> => runFathom(['runs', '--json', '--store', store]);
    expect(await list(`${url}&sslrootcert=${encodeURIComponent(certificate.cert)}`)).toMatchObject({
      code: 0,
      stdout: '[]\n',
    });
    const refused = await list(url);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/self-signed certificate/);
  }, 90_000);
});
