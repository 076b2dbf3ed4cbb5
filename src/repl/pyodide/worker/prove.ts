/**
 * The self-test of the namespaces: the worker's own JavaScript, in the same namespaces but without the permission
 * model, tries what a break-out would try first. No Python runs here.
 *
 * @module
 */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { basename, dirname } from 'node:path';
import { FD, RUNTIME } from './protocol.ts';
import { headerOf, openWire } from './wire.ts';

/** The targets of the attempts. */
interface Facts {
  readonly canary: string;
  readonly secret: string;
  readonly port: number;
  readonly pid: number;
  readonly socket: string;
}

/** Variables that the starting shell sets by itself. */
const SHELL_NAMES: ReadonlySet<string> = new Set(['PWD', 'OLDPWD', 'SHLVL', '_']);

const wire = openWire(FD.frames);
const first = wire.read();
if (first !== undefined) {
  const facts = headerOf(first) as Facts;
  const attempts: Record<string, () => boolean | Promise<boolean>> = {
    file: () => readFileSync(facts.canary, 'utf8').includes(facts.secret),
    folder: () => lists(dirname(dirname(facts.canary)), basename(dirname(facts.canary))) || lists('/etc', 'passwd'),
    environment: () => Object.keys(process.env).some((name) => !SHELL_NAMES.has(name)),
    processes: () => readable('/proc/self') || readable(`/proc/${facts.pid}`),
    connection: () => reaches({ host: '127.0.0.1', port: facts.port }),
    socket: () => reaches({ path: facts.socket }),
    signal: () => process.kill(facts.pid, 0),
    write: () => ['/', '/tmp', '/usr'].some((folder) => writable(`${folder}/fathom-canary`)),
    program: () => spawnSync('/bin/true').status === 0,
  };
  const reached: Record<string, boolean> = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      reached[name] = await attempt();
    } catch {
      reached[name] = false;
    }
  }
  wire.send(RUNTIME.ready, 0, { reached });
}
process.exit(0);

function lists(folder: string, name: string): boolean {
  try {
    return readdirSync(folder).includes(name);
  } catch {
    return false;
  }
}

function readable(path: string): boolean {
  try {
    return readdirSync(path).length > 0;
  } catch {
    return false;
  }
}

function writable(path: string): boolean {
  try {
    writeFileSync(path, 'canary');
    return true;
  } catch {
    return false;
  }
}

function reaches(options: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(options, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
    setTimeout(() => resolve(false), 1_000).unref();
  });
}
