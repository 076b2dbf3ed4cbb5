/** The command on a store in Postgres. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFathom } from '../cli/run-fathom.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../servers/postgres-server.ts';

if (NO_POSTGRES !== undefined) console.warn(`The tests of the command over Postgres are skipped: ${NO_POSTGRES}`);

describe.skipIf(NO_POSTGRES !== undefined)('--store with the URL of a Postgres server', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());

  it('lists the runs of the server, by option and by FATHOM_STORE', async () => {
    for (const [args, env] of [
      [['runs', '--json', '--store', server.url], {}],
      [['runs', '--json'], { FATHOM_STORE: server.url }],
    ] as const) {
      const { code, stdout, stderr } = await runFathom(args, { env });
      expect({ code, stderr, runs: JSON.parse(stdout) as unknown }).toEqual({ code: 0, stderr: '', runs: [] });
    }
  });

  it('names a server that is not there, without its password', async () => {
    const { code, stderr } = await runFathom(['runs'], { env: { FATHOM_STORE: 'postgres://me:secret@127.0.0.1:9/x' } });
    expect(code).not.toBe(0);
    expect(stderr).toContain('127.0.0.1:9');
    expect(stderr).not.toContain('secret');
  }, 60_000);
});
