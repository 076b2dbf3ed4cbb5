/**
 * Runs attacks against the pyodide backend as it is, and against a build with the wall opened that they aim at: an
 * attack that does not succeed there proves nothing here.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import type { CellOutcome, Repl, ReplHost, ReplLimits } from '../../src/repl/port.ts';
import type { TestSwitches } from '../../src/repl/pyodide/pool.ts';
import { testBackend } from '../../src/repl/pyodide/testing.ts';

/** One attack: Python that leaves what it got in `r`. */
export interface Attack {
  readonly name: string;
  readonly code: string;
}

/** The evidence that an attack has succeeded. */
export type Evidence =
  /** `r` holds the secret, or is True; or the marker file is there. */
  | 'secret'
  /** The child's own stdout or stderr shows a line of the guest's. */
  | 'printed'
  /** The host took a frame for the runtime's own. */
  | 'forged'
  /** The host had to end the REPL because of what it received. */
  | 'received'
  /** The process continued after a denied import. */
  | 'survived';

const FOLDER = import.meta.dirname;
const MiB = 1024 * 1024;

/** Attacks of a file: pieces that begin with `### name`. */
export function attacksIn(file: string): Attack[] {
  return readFileSync(join(FOLDER, 'attacks', file), 'utf8')
    .split(/^### /m)
    .slice(1)
    .map((piece) => {
      const end = piece.indexOf('\n');
      return { name: piece.slice(0, end).trim(), code: piece.slice(end + 1) };
    });
}

/** Things of the host's to reach. */
export interface Target {
  readonly facts: Readonly<Record<string, string | number>>;
  readonly secret: string;
  /** True when the marker file was made since the last call. */
  marked(): boolean;
  close(): void;
}

/** Lays them out. */
export async function makeTarget(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-attack-'));
  const at = (name: string): string => join(folder, name);
  const secret = `secret${Math.random().toString(36).slice(2)}`;
  writeFileSync(at('canary'), secret, { mode: 0o666 });
  writeFileSync(at('removable'), '');
  writeFileSync(at('input'), `${secret}\n`.repeat(10_000));
  writeFileSync(at('canary_module.py'), `SECRET = ${JSON.stringify(secret)}\n`);
  writeFileSync(at('module.mjs'), `export default ${JSON.stringify(secret)};\n`);
  writeFileSync(at('library.so'), 'no library');
  const database = new DatabaseSync(at('canary.db'));
  database.exec('create table t(a)');
  database.prepare('insert into t values(?)').run(secret);
  database.close();
  const tcp = await listen(0);
  const local = await listen(at('socket'));
  const udp = createSocket('udp4').unref();
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
  const address = tcp.address();
  const facts = {
    ...{ folder, canary: at('canary'), marker: at('marker'), socket: at('socket'), secret, hostname: hostname() },
    ...{ port: typeof address === 'object' ? (address?.port ?? 0) : 0, udp: udp.address().port, pid: process.pid },
    ...{ uid: String(process.getuid?.()), name: 'PATH=', library: nativeModule() },
    // Of this Pyodide release: where emscripten's console functions begin in the table, and libc's signal actions.
    ...{ slot: 14_168, actions: 4_014_016 },
  };
  return {
    facts,
    secret,
    marked() {
      const there = existsSync(facts.marker);
      rmSync(facts.marker, { force: true });
      return there;
    },
    close() {
      for (const server of [tcp, local] as (Server | Socket)[]) server.close();
      udp.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listen(where: number | string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('HTTP/1.1 204 No Content\r\n\r\n');
  });
  server.unref();
  return new Promise((resolve) => {
    if (typeof where === 'string') server.listen(where, () => resolve(server));
    else server.listen(where, '127.0.0.1', () => resolve(server));
  });
}

/** Some library to try to load. */
function nativeModule(): string {
  return /\/\S+\/libc\.so[.\d]*/.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0] ?? '/lib/libc.so.6';
}

/** Milliseconds of an attack. One that shows itself by continuing lasts as long as it may. */
const ATTACK_MS = 15_000;
const SURVIVOR_MS = 2_000;
const LIMITS: ReplLimits = {
  ...DEFAULT_LIMITS,
  callWindow: 8,
  cellTimeoutMs: ATTACK_MS,
  memoryBytes: 256 * MiB,
  diskBytes: 64 * MiB,
};
const refuse = (): never => {
  throw new Error('attacks ask for nothing');
};
const NO_HOST: ReplHost = {
  subCall: refuse,
  callTool: refuse,
  checkAnswer: refuse,
  readHistory: refuse,
  readProjection: refuse,
};

/** A REPL to attack. */
export interface Field {
  /** Runs one attack; true when there is evidence that it succeeded. Afterwards the REPL is as before. */
  run(attack: Attack, evidence: Evidence): Promise<boolean>;
  /** Runs attacks one after the other as one, without going back between them. */
  runAll(attacks: readonly Attack[], evidence: Evidence): Promise<boolean>;
  /** The last attack, for messages. */
  readonly last: string;
  close(): Promise<void>;
}

/** Opens a REPL, with walls opened when `switches` say so. */
export async function openField(target: Target, switches?: TestSwitches): Promise<Field> {
  let printed = '';
  const backend = testBackend({
    most: 'process',
    spares: 0, // each would be booted for one attack that ends the process, and the last one for none
    switches: { ...switches, onPrint: (chunk) => (printed += chunk.toString()) },
  });
  const repl = await backend.open({ limits: LIMITS, host: NO_HOST, least: 'process' });
  const prelude = readFileSync(join(FOLDER, 'attacks/prelude.py'), 'utf8');
  await repl.execute({ code: `FACTS = ${JSON.stringify(target.facts)}\n${prelude}`, handle: 'e1' });
  await repl.snapshot('clean');
  let last = '';
  const attempt = async ({ code }: Attack, evidence: Evidence): Promise<boolean> => {
    printed = '';
    target.marked();
    const timeoutMs = evidence === 'survived' ? SURVIVOR_MS : ATTACK_MS;
    const outcome = await repl.execute({ code: `r = None\n${code}`, handle: 'e2', timeoutMs });
    const got = await resultOf(repl);
    const succeeded = judge({ outcome, got, evidence, printed, target });
    last = `r = ${got.slice(0, 200)}; ${outcome.error?.type}: ${outcome.error?.message.slice(0, 200)}; ${printed.slice(0, 100)}`;
    return succeeded;
  };
  return {
    async run(attack, evidence) {
      try {
        return await attempt(attack, evidence);
      } finally {
        await repl.rollback('clean');
      }
    },
    async runAll(attacks, evidence) {
      let succeeded = false;
      for (const attack of attacks) succeeded = await attempt(attack, evidence);
      return succeeded;
    },
    get last() {
      return last;
    },
    close: () => backend.close(),
  };
}

async function resultOf(repl: Repl): Promise<string> {
  const { value } = await repl.execute({ code: 'repr(r) if "r" in globals() else ""', handle: 'e3' });
  return value ?? '';
}

function judge(request: {
  readonly outcome: CellOutcome;
  readonly got: string;
  readonly evidence: Evidence;
  readonly printed: string;
  readonly target: Target;
}): boolean {
  const { outcome, got, evidence, printed, target } = request;
  const reported = `${outcome.error?.message} ${outcome.restarted?.reason}`;
  if (evidence === 'secret') return got.includes(target.secret) || got === "'True'" || target.marked();
  if (evidence === 'printed') return printed.includes('forged by the guest');
  if (evidence === 'forged') return reported.includes('forged words');
  if (evidence === 'received') return outcome.error?.type === 'ChannelViolation';
  return !reported.includes('shut:');
}

/** The same attack in the machine's own Python: what it does without any sandbox. */
export async function runNatively(target: Target, { code }: Attack): Promise<boolean> {
  const program = `FACTS = ${JSON.stringify(target.facts)}\nr = None\n${code}\nprint("\\nREACHED" if r is True else "")`;
  const path = join(String(target.facts.folder), 'native.py');
  writeFileSync(path, program);
  // Not synchronously: what it connects to is served by this process.
  const output = await new Promise<string>((resolve) => {
    execFile('python3', ['-I', path], { timeout: 10_000 }, (_error, stdout) => resolve(stdout));
  });
  return output.includes('REACHED') || target.marked();
}

/** A descriptor that reads the secret: what a terminal's input would give. */
export function secretInput(target: Target): number {
  return openSync(join(String(target.facts.folder), 'input'), 'r');
}
