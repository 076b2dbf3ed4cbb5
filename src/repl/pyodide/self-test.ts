/**
 * The start-up self-test: a level is only claimed when an attempt on everything it promises has failed. Once per
 * process.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../../limits.ts';
import { createGuestLink } from '../channel/index.ts';
import type { NamespaceForm } from '../namespace.ts';
import type { ReplHost, ReplLimits } from '../port.ts';
import { RUNTIME } from './worker/protocol.ts';
import type { WorkerCode } from './worker-code.ts';
import { startWorker, type WorkerHandle } from './worker-handle.ts';

/** The result of one self-test: attempts by name, true where the host was reached. */
export interface Proof {
  /** `python`: from a cell. `javascript`: from the worker's own code, without the permission model. */
  readonly from: 'python' | 'javascript';
  readonly reached: Readonly<Record<string, boolean>>;
  readonly ms: number;
}

/** Things of the host's that an attempt could reach. */
export interface Bait {
  readonly facts: {
    readonly canary: string;
    readonly secret: string;
    readonly port: number;
    readonly socket: string;
    readonly pid: number;
  };
  remove(): void;
}

/** True when nothing was reached. */
export function holds(proof: Proof): boolean {
  const attempts = Object.values(proof.reached);
  return attempts.length > 0 && attempts.every((reached) => !reached);
}

/** Lays the bait: a file with a secret, a listening port and socket, this process. */
export async function layBait(): Promise<Bait> {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-canary-'));
  const secret = randomBytes(16).toString('hex');
  const canary = join(folder, 'canary');
  const socket = join(folder, 'socket');
  writeFileSync(canary, secret, { mode: 0o644 });
  const tcp = await listen(0, '127.0.0.1');
  const local = await listen(socket).catch(() => undefined);
  const address = tcp.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    facts: { canary, secret, port, socket, pid: process.pid },
    remove() {
      tcp.close();
      local?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listen(...where: [number, string] | [string]): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    });
    server.unref();
    server.once('error', reject);
    const done = (): void => resolve(server);
    if (where.length === 1) server.listen(where[0], done);
    else server.listen(where[0], where[1], done);
  });
}

export interface NamespaceTest {
  readonly node: string;
  readonly code: WorkerCode;
  readonly readable: readonly string[];
  readonly form: NamespaceForm;
  readonly bait: Bait;
}

/** Tries the namespaces from JavaScript. Throws when the worker does not even start in them. */
export async function tryNamespaces(test: NamespaceTest): Promise<Proof> {
  const started = performance.now();
  const worker = startWorker({
    node: test.node,
    script: test.code.prove,
    readable: test.readable,
    form: test.form,
    level: 'namespace',
    withoutPermission: true,
    descriptors: {},
  });
  try {
    worker.boot(test.bait.facts as never);
    const { reached } = (await worker.busy(() => worker.ready)) as unknown as { reached: Record<string, boolean> };
    return { from: 'javascript', reached, ms: performance.now() - started };
  } finally {
    worker.kill('done');
    void worker.ended.then(() => worker.release());
  }
}

const PRISTINE = 'pristine';

/** Tries from a cell in a booted worker, which is afterwards as it was before. */
export async function tryFromPython(worker: WorkerHandle, bait: Bait): Promise<Proof> {
  const started = performance.now();
  const limits: ReplLimits = { ...DEFAULT_LIMITS, callWindow: 1, cellTimeoutMs: 10_000 };
  const link = createGuestLink({
    limits,
    host: noHost,
    write: worker.write,
    unread: worker.unread,
    interrupt: worker.interrupt,
    kill: worker.kill,
    onRuntimeFrame: worker.runtimeFrame,
  });
  worker.attach(link.receive);
  void worker.ended.then((reason) => link.ended(reason));
  return await worker.busy(async () => {
    await worker.ask(RUNTIME.save, { name: PRISTINE });
    await link.command({ op: 'execute', header: { handle: 'e0' }, parts: [Buffer.from(cellFor(bait))] });
    const result = await link.command({ op: 'get', header: { name: '_reached' } });
    const reached = JSON.parse(result.parts.text(10_000)) as Record<string, boolean>;
    await worker.ask(RUNTIME.restore, { name: PRISTINE, reload: [] });
    await worker.ask(RUNTIME.drop, { name: PRISTINE });
    return { from: 'python', reached, ms: performance.now() - started };
  });
}

/** A JSON string of JSON text is a Python literal as well. */
function cellFor(bait: Bait): string {
  const facts = JSON.stringify(JSON.stringify(bait.facts));
  return `
import json, sys
_reached = json.loads(sys.modules["fathom_pyodide"].prove.attempt(json.loads(${facts})))
`;
}

const unasked = (): never => {
  throw new Error('the self-test asks for nothing');
};
const noHost: ReplHost = {
  subCall: unasked,
  callTool: unasked,
  checkAnswer: unasked,
  readHistory: unasked,
  readProjection: unasked,
};
