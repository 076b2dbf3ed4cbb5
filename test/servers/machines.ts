/**
 * Machines of the tests' own: network namespaces whose links meet at one bridge of this machine, so that a machine can be cut off as by
 * a pulled cable. No packet leaves the machine that the tests run on.
 *
 * @module
 */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn, spawnSync } from 'node:child_process';

let reason: { readonly why: string | undefined } | undefined;

/** Why there can be no such machines here; undefined: there can. */
export function noMachines(): string | undefined {
  reason ??= { why: whyNot() };
  return reason.why;
}

/** One machine. */
export interface Machine {
  readonly name: string;
  readonly address: string;
  /** From now on, packets to and from it are lost, without an error to anyone. */
  cut(): void;
  mend(): void;
}

/** The machines of one test, and the bridge between them. */
export interface Network {
  /** Of this process, as the machines see it. */
  readonly address: string;
  machine(name: string): Machine;
  close(): void;
}

/** Names of interfaces have at most 15 characters. */
const PREFIX = `fm${process.pid}`;

/** Opens a network in 198.18.0.0/15, which is kept for tests. */
export function openNetwork(): Network {
  removeLeftovers();
  const net = `198.${18 + (process.pid % 2)}.${(process.pid >> 1) % 256}`;
  const bridge = `${PREFIX}b`;
  const names: string[] = [];
  ip(['link', 'add', bridge, 'type', 'bridge']);
  ip(['addr', 'add', `${net}.1/24`, 'dev', bridge]);
  ip(['link', 'set', bridge, 'up']);
  return {
    address: `${net}.1`,
    machine(name) {
      const space = `${PREFIX}-${name}`;
      const [outside, inside] = [`${PREFIX}o${names.length}`, `${PREFIX}i${names.length}`];
      const address = `${net}.${names.length + 2}`;
      names.push(space);
      ip(['netns', 'add', space]);
      ip(['link', 'add', outside, 'type', 'veth', 'peer', 'name', inside]);
      ip(['link', 'set', inside, 'netns', space]);
      ip(['-n', space, 'link', 'set', 'lo', 'up']);
      ip(['-n', space, 'addr', 'add', `${address}/24`, 'dev', inside]);
      ip(['-n', space, 'link', 'set', inside, 'up']);
      const join = (): void => ip(['link', 'set', outside, 'master', bridge, 'up']);
      join();
      return { name: space, address, cut: () => ip(['link', 'set', outside, 'nomaster']), mend: join };
    },
    close() {
      for (const name of names) remove(name);
      ip(['link', 'del', bridge]);
    },
  };
}

/** Starts a program on a machine; without one, on this machine. Signals reach the program itself. */
export function spawnOn(
  machine: Machine | undefined,
  command: readonly [string, ...string[]],
  options: SpawnOptions = {},
): ChildProcess {
  const [program, ...args] = command;
  if (machine === undefined) return spawn(program, args, options);
  const { uid, gid, ...rest } = options;
  const user = uid === undefined ? [] : ['-S', String(uid), '-G', String(gid ?? uid)];
  return spawn('nsenter', [`--net=/run/netns/${machine.name}`, ...user, '--', program, ...args], rest);
}

function ip(args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Machines of test processes that were killed. */
function removeLeftovers(): void {
  const spaces = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n');
  for (const line of spaces) {
    const [name = ''] = line.split(' ');
    const pid = /^fm(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) remove(name);
  }
  for (const [, bridge = '', pid] of execFileSync('ip', ['-o', 'link', 'show', 'type', 'bridge'], {
    encoding: 'utf8',
  }).matchAll(/: (fm(\d+)b):/g))
    if (!isAlive(Number(pid))) ip(['link', 'del', bridge]);
}

/** Ends what runs on a machine, and removes it with its link. */
function remove(name: string): void {
  const pids = execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).split('\n').filter(Boolean);
  for (const pid of pids) if (isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL');
  ip(['netns', 'del', name]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function whyNot(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'machines with a network of their own need Linux and root';
  for (const program of ['ip', 'nsenter'])
    if (spawnSync(program, ['-V']).status !== 0) return `no ${program}: apt-get install iproute2 util-linux`;
  const probe = `${PREFIX}-probe`;
  const bridge = `${PREFIX}p`;
  try {
    ip(['netns', 'add', probe]);
    ip(['link', 'add', bridge, 'type', 'bridge']);
    ip(['link', 'del', bridge]);
    return undefined;
  } catch (error) {
    return `this machine makes no network namespaces: ${String((error as { readonly stderr?: unknown }).stderr ?? error).trim()}`;
  } finally {
    spawnSync('ip', ['netns', 'del', probe]);
  }
}
