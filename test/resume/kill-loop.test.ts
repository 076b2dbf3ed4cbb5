import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/index.ts';
import { checkEvents } from '../engine/check-events.ts';
import { MOCK_KEY, type MockProvider, startMockProvider } from '../mock-provider/index.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../servers/postgres-server.ts';
import { answerOf, isRoot, openKillStore, SUB_CALLS } from './kill-script.ts';
import { descendantsOf, killed } from './processes.ts';

/** Six kill the host, the REPLs and both twice each, first and second; `npm run soak` has 60. */
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 6);
/** Rounds over Postgres. */
const POSTGRES_ROUNDS = Number(process.env.POSTGRES_KILL_ROUNDS ?? 3);
/** `maxConcurrentCalls` of the run. */
const IN_FLIGHT = 16;
const RUN = fileURLToPath(new URL('./kill-run.ts', import.meta.url));

interface Ended {
  readonly outcome?: string;
  readonly answer?: string;
  readonly subCalls?: number;
  readonly usage?: {
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly calls: number;
    readonly possiblyBilled: number;
    readonly byModel: Readonly<Record<string, { readonly possiblyBilled: number }>>;
  };
  readonly failed?: { readonly code: string; readonly message: string; readonly resumable: boolean };
}

if (NO_POSTGRES !== undefined) console.warn(`The rounds over Postgres are skipped: ${NO_POSTGRES}`);

let mock: MockProvider;
let postgres: PostgresServer | undefined;
let folder = '';
let undisturbed: Ended = {};

beforeAll(async () => {
  mock = await startMockProvider({
    respond: (request) => ({
      text: answerOf(request),
      latencyMs: 2 + (request.index % 7),
      ...(isRoot(request) && { pieces: 30, pieceDelayMs: 10 }),
    }),
  });
  folder = await mkdtemp(join(tmpdir(), 'fathom-kill-'));
  if (NO_POSTGRES === undefined) postgres = await startPostgres();
  undisturbed = await start(join(folder, 'undisturbed')).ended;
}, 120_000);

afterAll(async () => {
  await mock.close();
  await postgres?.stop();
  await rm(folder, { recursive: true });
});

interface Started {
  readonly process: ChildProcess;
  readonly runId: Promise<string>;
  /** Empty when it was killed. */
  readonly ended: Promise<Ended>;
}

function start(store: string, runId?: string): Started {
  const { HOME, PATH, NODE_COMPILE_CACHE, FATHOM_TEST_REPL } = process.env;
  const env = {
    HOME,
    PATH,
    NODE_COMPILE_CACHE,
    ...mock.env,
    ...(FATHOM_TEST_REPL !== undefined && { FATHOM_TEST_REPL }),
  };
  const args = ['--no-warnings', RUN, store, ...(runId === undefined ? [] : [runId])];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const all: string[] = [];
  const known = new Promise<string>((resolve, reject) => {
    lines.once('line', (line) => resolve((JSON.parse(line) as { runId: string }).runId));
    child.once('exit', () => reject(new Error('it ended before it said its run id')));
  });
  known.catch(() => undefined);
  lines.on('line', (line) => all.push(line));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', () => resolve(all.length > 1 ? (JSON.parse(all[1] ?? '{}') as Ended) : {}));
  });
  return { process: child, runId: known, ended };
}

/** Kills the host, its guests, or both, once the mock has seen so many calls more. */
async function killAt(started: Started, calls: number, what: 'host' | 'guests' | 'both'): Promise<boolean> {
  const reached = mock.hasSeen(mock.calls.length + calls).then(() => true);
  const alive = await Promise.race([reached, started.ended.then(() => false)]);
  if (!alive || started.process.pid === undefined) return false;
  const guests = await descendantsOf(started.process.pid);
  if (what !== 'guests') started.process.kill('SIGKILL');
  if (what !== 'host') for (const pid of guests) killed(pid);
  return true;
}

describe('a run that is killed and resumed until it is done', () => {
  const rounds = (store: string, count: number) => Array.from({ length: count }, (_, round) => [store, round] as const);
  it.each([...rounds('sqlite', ROUNDS), ...rounds('postgres', NO_POSTGRES === undefined ? POSTGRES_ROUNDS : 0)])(
    '%s, round %d',
    async (kind, round) => {
      const store = kind === 'sqlite' ? join(folder, `round-${round}`) : `${postgres?.url}#round_${round}`;
      const before = mock.calls.length;
      let started = start(store);
      const runId = await started.runId;
      const kills: string[] = [];
      const pids = new Set<number>();
      // Spread over the run and over what is killed, the same in every session: a failing round can be run again.
      for (const [step, share] of [0.13 + (round % 5) * 0.07, 0.2 + (round % 3) * 0.1].entries()) {
        const what = (['host', 'guests', 'both'] as const)[(round + step) % 3] ?? 'host';
        for (const pid of await descendantsOf(started.process.pid ?? -1)) pids.add(pid);
        if (await killAt(started, Math.round(SUB_CALLS * share), what)) kills.push(what);
        const ended = await started.ended;
        if (ended.outcome !== undefined) break;
        expect(ended.failed?.resumable ?? true, ended.failed?.message).toBe(true);
        started = start(store, runId);
      }
      let ended = await started.ended;
      if (ended.failed?.resumable === true) ended = await start(store, runId).ended;
      expect(ended).toMatchObject({ outcome: 'converged' });
      await checkStore(store, runId);
      expect(ended.answer).toBe(undisturbed.answer);

      const seen = mock.calls.slice(before);
      const { calls = 0, possiblyBilled = 0 } = ended.usage ?? {};
      const unanswered = seen.filter(({ outcome }) => outcome === 'client-gone').length;
      const answered = seen.filter(({ outcome }) => outcome === 'replied').length;
      const once = undisturbed.usage?.calls ?? 0;
      // A reply of the root model that a kill cut while its cell ran is marked and not asked for again, although the provider may have
      // sent all of it; of the children, which share the model of the sub-calls, one for each kill is allowed for.
      const cut = (ended.usage?.byModel['openai/gpt-5']?.possiblyBilled ?? 0) + kills.length;
      // Marked is what was given up, what did not reach the provider, and what it answered twice: nothing else.
      const unsent = calls - seen.length;
      expect(possiblyBilled).toBeLessThanOrEqual(unanswered + unsent + Math.max(0, answered - once) + cut);
      // A host dies at one moment; REPLs die one after the other, and calls begin in between. Beside the calls of cells, the
      // reply that they are from may still be arriving.
      if (!kills.includes('guests')) expect(possiblyBilled).toBeLessThanOrEqual(kills.length * (IN_FLIGHT + 1));
      // Every repeat is marked; everything else was paid for once.
      expect(answered).toBeLessThanOrEqual(once + possiblyBilled);
      // Beyond the undisturbed run's there are only attempts that a kill ended before they were sent.
      expect(calls - possiblyBilled).toBeGreaterThanOrEqual(once - cut);
      expect(seen.length).toBeLessThanOrEqual(calls);
      expect(seen.length).toBeGreaterThanOrEqual(calls - possiblyBilled);
      for (const pid of pids) expect(await descendantsOf(pid)).toEqual([]);
    },
    120_000,
  );
});

/** One terminal record per run, gapless numbers, no secret in any file. */
async function checkStore(path: string, runId: string): Promise<void> {
  const store = openKillStore(path);
  const all: RunEvent[] = [];
  try {
    const events = await store.events.read(runId);
    const ids = new Set(
      events.flatMap((event) =>
        event.type === 'subcall.completed' && event.childRunId !== undefined ? [event.childRunId] : [],
      ),
    );
    const children = (await Promise.all([...ids].map((id) => store.events.read(id)))).flat();
    all.push(...events, ...children);
    expect(checkEvents(all)).toEqual([]);
  } finally {
    await store.close();
  }
  if (path.startsWith('postgres:')) return;
  for (const name of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    const content = await readFile(join(name.parentPath, name.name), 'latin1');
    expect(content.includes(MOCK_KEY), `${name.name} holds the key`).toBe(false);
  }
}
