import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { RlmError } from '../../errors.ts';
import type { IsolationLevel } from '../port.ts';
import type { Interpreter } from './interpreter.ts';
import type { BoxMode, ZygoteProcess } from './zygote-process.ts';

/** What a process confined like a cell found when it tried to get out. Empty lists are what the box is for. */
export interface IsolationFindings {
  /** Host files and folders it could read. */
  readonly files: readonly string[];
  /** Places outside of its own folders it could write to. */
  readonly writes: readonly string[];
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
  return [it.files, it.writes, it.network, it.processes, it.signals, it.privileges].every((list) => list.length === 0);
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
    await writeFile(canary, 'nobody in the box may read this', { mode: 0o644 });
    tcp.listen(0, '127.0.0.1');
    unix.listen(path);
    await Promise.all([once(tcp, 'listening'), once(unix, 'listening')]);
    const { port } = tcp.address() as net.AddressInfo;
    const namespaces = zygote.mode !== 'rules';
    const probe = {
      namespaces,
      canary,
      port,
      socket: path,
      pids: [process.pid, zygote.pid],
      interpreter: interpreter.folders,
    };
    const findings = await runProbe(zygote, probe);
    const level = levelOf(zygote.mode, findings);
    const { mode, refused, short } = zygote;
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
    await rm(canary, { force: true });
  }
}

/** Limits of the probe: it needs next to nothing. */
const PROBE_LIMITS = { memory: 512 * 1024 * 1024, disk: 16 * 1024 * 1024, processes: 4, snapshots: 0 };
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
    network: list('network'),
    processes: list('processes'),
    signals: list('signals'),
    privileges: list('privileges'),
    environment: list('environment'),
    descriptors: list('descriptors'),
  };
}

/** What the findings allow to be promised. */
function levelOf(mode: BoxMode, it: IsolationFindings): IsolationLevel {
  if (mode !== 'rules' && nothingFound(it)) return 'namespace';
  // Without namespaces others' existence may show; their files, the network and their lives must still be out of reach.
  return [it.files, it.writes, it.network, it.privileges].every((list) => list.length === 0) ? 'process' : 'none';
}
