import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { RlmError } from '../../errors.ts';
import type { IsolationLevel } from '../port.ts';
import type { Interpreter } from './interpreter.ts';
import type { BoxMode, ZygoteProcess } from './zygote-process.ts';

/** The ways out that a process confined like a cell found. The box is right when all lists are empty. */
export interface IsolationFindings {
  /** Host files and folders it could read. */
  readonly files: readonly string[];
  /** Places outside of its own folders it could write to. */
  readonly writes: readonly string[];
  /** Mode, owner, times, attributes, flags and leases of files outside that it could change. */
  readonly metadata: readonly string[];
  /** System V objects, queues, named datagrams, shared limits and priorities of the host's that it could use. */
  readonly shared: readonly string[];
  /** Sockets it could make or connect. */
  readonly network: readonly string[];
  /** Processes of others it could see. */
  readonly processes: readonly string[];
  /** Processes outside it could have sent a signal to. */
  readonly signals: readonly string[];
  /** Rights and system calls that should have been gone. */
  readonly privileges: readonly string[];
  /** Names of its environment variables. */
  readonly environment: readonly string[];
  /** Its open descriptors and where they lead. */
  readonly descriptors: readonly string[];
}

/** The level a zygote reached, and the proof. */
export interface IsolationReport {
  readonly level: IsolationLevel;
  readonly mode: BoxMode;
  readonly findings: IsolationFindings;
  /** Stronger ways the machine refused. */
  readonly refused: ZygoteProcess['refused'];
  readonly short: readonly string[];
  /** Milliseconds the proof took. */
  readonly proofMs: number;
}

const LEVELS: readonly IsolationLevel[] = ['none', 'process', 'namespace', 'vm'];
const PROOF_PATIENCE_MS = 20_000;
const ROOT_NEEDS_NAMESPACES =
  'root without namespaces: the level process is not claimed for root; run as an ordinary user or allow namespaces';

/** `level` is at least `least`. */
export function reaches(level: IsolationLevel, least: IsolationLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

/**
 * True when nothing got out: no host file readable, nothing writable outside of the REPL's own file system, no network,
 * no sight of other processes, no signal to them, no privilege left, in namespaces of its own.
 */
export function provesFullIsolation(report: IsolationReport): boolean {
  return report.level === 'namespace' && nothingFound(report.findings);
}

function nothingFound(it: IsolationFindings): boolean {
  return lists(it).every((list) => list.length === 0) && it.processes.length === 0;
}

/** The lists that must be empty at every level. */
function lists(it: IsolationFindings): readonly (readonly string[])[] {
  return [it.files, it.writes, it.metadata, it.shared, it.network, it.signals, it.privileges];
}

/**
 * Tries to get out, from a process confined exactly as REPLs are: reads a canary the host has just written, connects
 * to listeners the host has just opened, asks to signal the host.
 *
 * @throws RlmError `isolation-unavailable` when the proof itself cannot be made
 */
export async function proveIsolation(zygote: ZygoteProcess, interpreter: Interpreter): Promise<IsolationReport> {
  const startedAt = performance.now();
  const canary = join(zygote.folder, `canary-${randomBytes(8).toString('hex')}`);
  const path = join(zygote.folder, 'probe-socket');
  const tcp = net.createServer((socket) => socket.destroy());
  const unix = net.createServer((socket) => socket.destroy());
  try {
    await writeFile(canary, 'no process in the box may read this', { mode: 0o644 });
    tcp.listen(0, '127.0.0.1');
    unix.listen(path);
    const [decoys] = await Promise.all([setOutDecoys(zygote), once(tcp, 'listening'), once(unix, 'listening')]);
    const { port } = tcp.address() as net.AddressInfo;
    const namespaces = zygote.mode !== 'rules';
    const probe = {
      namespaces,
      decoys,
      canary,
      port,
      socket: path,
      pids: [process.pid, zygote.pid],
      interpreter: interpreter.folders,
    };
    const findings = await runProbe(zygote, probe);
    const asRoot = process.geteuid?.() === 0;
    const level = levelOf(zygote.mode, findings, asRoot);
    const { mode, refused } = zygote;
    const short = asRoot && level === 'none' ? [...zygote.short, ROOT_NEEDS_NAMESPACES] : zygote.short;
    return { level, mode, findings, refused, short, proofMs: performance.now() - startedAt };
  } catch (cause) {
    if (RlmError.isInstance(cause)) throw cause;
    throw new RlmError({
      code: 'isolation-unavailable',
      message: 'The isolation of Python REPLs could not be proved.',
      cause,
    });
  } finally {
    tcp.close();
    unix.close();
    zygote.order({ decoys: false });
    await rm(canary, { force: true });
  }
}

/** Has the launcher make objects of the host's that the probe must not reach. Gives where they are. */
async function setOutDecoys(zygote: ZygoteProcess): Promise<unknown> {
  const before = zygote.onMessage;
  const answer = new Promise<unknown>((resolve) => {
    zygote.onMessage = (message) => {
      if ('decoys' in message) resolve(message.decoys);
      else before(message);
    };
  });
  zygote.order({ decoys: true });
  const decoys = await Promise.race([answer, zygote.ended.then(() => ({}))]);
  zygote.onMessage = before;
  return decoys;
}

/** Limits of the probe: it needs next to nothing. */
const PROBE_LIMITS = {
  memory: 512 * 1024 * 1024,
  disk: 16 * 1024 * 1024,
  contexts: 0,
  processes: 4,
  threads: 16,
  snapshots: 0,
};
const PROBE_ID = 0;
const MOST_FINDINGS = 1024 * 1024;

async function runProbe(zygote: ZygoteProcess, probe: Readonly<Record<string, unknown>>): Promise<IsolationFindings> {
  const control = zygote.connect({ kind: 'repl', id: PROBE_ID, ...PROBE_LIMITS, probe });
  const channel = zygote.connect({ kind: 'channel', id: PROBE_ID });
  const timer = setTimeout(() => channel.destroy(new Error('the probe did not answer')), PROOF_PATIENCE_MS);
  control.on('error', () => {});
  try {
    let data = Buffer.alloc(0);
    for await (const chunk of channel as AsyncIterable<Buffer>) {
      data = Buffer.concat([data, chunk]);
      if (data.length > MOST_FINDINGS) break;
      if (data.length >= 4 && data.length >= 4 + data.readUInt32LE(0)) return readFindings(data.subarray(4));
    }
    throw new RlmError({
      code: 'isolation-unavailable',
      message: `The isolation of Python REPLs could not be proved: the probe ended early (${zygote.log() || 'without a word'}).`,
    });
  } finally {
    clearTimeout(timer);
    control.destroy();
    channel.destroy();
  }
}

function readFindings(data: Buffer): IsolationFindings {
  const found = JSON.parse(data.toString('utf8')) as Record<string, unknown>;
  const list = (name: string): readonly string[] => {
    const value = found[name];
    // A list that is not there proves nothing.
    return Array.isArray(value) ? value.map(String) : ['not tried'];
  };
  return {
    files: list('files'),
    writes: list('writes'),
    metadata: list('metadata'),
    shared: list('shared'),
    network: list('network'),
    processes: list('processes'),
    signals: list('signals'),
    privileges: list('privileges'),
    environment: list('environment'),
    descriptors: list('descriptors'),
  };
}

/** The level that the findings prove. */
export function levelOf(mode: BoxMode, it: IsolationFindings, asRoot: boolean): IsolationLevel {
  if (mode !== 'rules' && nothingFound(it)) return 'namespace';
  // Without namespaces others' existence may show; their files, the network and their lives must still be out of reach.
  // Root owns the machine: too much hangs on the system-call filter alone there.
  return !asRoot && lists(it).every((list) => list.length === 0) ? 'process' : 'none';
}
