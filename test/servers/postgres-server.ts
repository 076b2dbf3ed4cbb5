/**
 * A Postgres server of the tests' own, from Debian's package: its data are in a folder that is removed at the end.
 *
 * @module
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificate.ts';
import { type Machine, spawnOn } from './machines.ts';

/** Where Debian puts the programs of a version. */
const VERSIONS = '/usr/lib/postgresql';

/** Why Postgres cannot be started here; undefined: it can. */
export const NO_POSTGRES: string | undefined =
  folderOfPrograms() === undefined ? `no Postgres server in ${VERSIONS}: apt-get install postgresql` : undefined;

export interface PostgresServer {
  readonly url: string;
  readonly port: number;
  /** Ends all its processes at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on its data. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param machine Default: this one, on loopback.
 * @param certificate Connections with TLS are possible.
 */
export async function startPostgres(machine?: Machine, certificate?: Certificate): Promise<PostgresServer> {
  const programs = folderOfPrograms();
  if (programs === undefined) throw new Error(NO_POSTGRES);
  const folder = mkdtempSync(join(tmpdir(), 'fathom-postgres-'));
  const user = serverUser();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const setup = ['-D', data, '-U', 'fathom', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'];
  execFileSync(join(programs, 'initdb'), setup, { ...user, stdio: 'ignore', env: { LC_ALL: 'C' }, cwd: folder });
  if (machine !== undefined) appendFileSync(join(data, 'pg_hba.conf'), '\nhost all all 198.18.0.0/15 trust\n');
  const { address = '127.0.0.1' } = machine ?? {};
  const port = await freePort();
  const ssl: string[] = [];
  if (certificate !== undefined) {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    copyFileSync(certificate.cert, cert);
    copyFileSync(certificate.key, key);
    chmodSync(key, 0o600);
    if (user !== undefined) for (const file of [cert, key]) chownSync(file, user.uid, user.gid);
    ssl.push('-c', 'ssl=on', '-c', `ssl_cert_file=${cert}`, '-c', `ssl_key_file=${key}`);
  }
  let server: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const options = [
      '-D',
      data,
      '-p',
      `${port}`,
      '-c',
      `listen_addresses=${address}`,
      '-c',
      `unix_socket_directories=${folder}`,
      ...ssl,
    ];
    const started = spawnOn(machine, [join(programs, 'postgres'), ...options], {
      ...user,
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: folder,
    });
    server = started;
    let log = '';
    await new Promise<void>((resolve, reject) => {
      started.stderr?.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes('ready to accept connections')) resolve();
      });
      started.once('exit', (code) => reject(new Error(`Postgres ended with ${code}:\n${log}`)));
    });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = server;
    server = undefined;
    if (ending === undefined || ending.exitCode !== null) return;
    const exited = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill(signal);
    await exited;
  };
  await start();
  return {
    url: `postgres://fathom@${address}:${port}/postgres`,
    port,
    start,
    kill: () => end('SIGQUIT'),
    async stop() {
      await end('SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function folderOfPrograms(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined;
  const newest = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))[0];
  const programs = join(VERSIONS, newest ?? '', 'bin');
  return existsSync(join(programs, 'initdb')) ? programs : undefined;
}

/** Postgres does not run as root. */
function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
