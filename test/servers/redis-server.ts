/**
 * A Redis server of the tests' own, from Debian's package: its data are in a folder that is removed at the end.
 *
 * @module
 */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificate.ts';
import { type Machine, spawnOn } from './machines.ts';
import { freePort } from './postgres-server.ts';

/** Why Redis cannot be started here; undefined: it can. */
export const NO_REDIS: string | undefined =
  spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'no redis-server: apt-get install redis-server';

export interface RedisServer {
  readonly url: string;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on its data. */
  start(): Promise<void>;
  /** Stops its process without ending it, as a partition or a stopped machine does. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export interface RedisAccess {
  /** Takes connections with TLS only. */
  readonly certificate?: Certificate;
  readonly password?: string;
}

/** @param machine Default: this one, on loopback. */
export async function startRedis(machine?: Machine, { certificate, password }: RedisAccess = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-redis-'));
  const port = await freePort();
  const { address = '127.0.0.1' } = machine ?? {};
  let server: ChildProcess | undefined;
  const files = (tls: Certificate): readonly string[] => [
    ...['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no'],
    ...['--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-ca-cert-file', tls.cert],
  ];
  const access = [
    ...(certificate === undefined ? ['--port', `${port}`] : files(certificate)),
    ...(password === undefined ? [] : ['--requirepass', password]),
  ];
  const start = async (): Promise<void> => {
    const options = [...access, '--bind', address, '--dir', folder, '--save', '', '--loglevel', 'notice'];
    const reachable = machine === undefined ? [] : ['--protected-mode', 'no'];
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const started = spawnOn(machine, ['redis-server', ...options, ...durable, ...reachable], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    server = started;
    let log = '';
    await new Promise<void>((resolve, reject) => {
      started.stdout?.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes('Ready to accept connections')) resolve();
      });
      started.once('exit', (code) => reject(new Error(`Redis ended with ${code}:\n${log}`)));
    });
  };
  const end = async (): Promise<void> => {
    const ending = server;
    server = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGKILL');
    await exited;
  };
  await start();
  return {
    url: certificate === undefined ? `redis://${address}:${port}` : `rediss://localhost:${port}`,
    start,
    kill: end,
    pause: () => void server?.kill('SIGSTOP'),
    resume: () => void server?.kill('SIGCONT'),
    async stop() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
