/** Sessions over a store that are made by one process's `Rlm` and opened again by another's. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import {
  createRlm,
  type OpenSessionOptions,
  type ReplBackend,
  type Rlm,
  type RlmOptions,
  type RunEvent,
  type Session,
  type SessionOptions,
  type Store,
  sqliteStore,
} from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';

// Each test opens several REPLs, one after the other.
vi.setConfig({ testTimeout: 120_000 });

export let folder = '';
let made = 0;
/** A path below the folder that no other test has. */
export const freshPath = (name: string): string => join(folder, `${name}${++made}`);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fathom-reopen-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

export const described = <F extends (args: never) => unknown>(
  run: F,
  description = 'a tool',
): F & { description: string } => Object.assign(run, { description });

/** A process's `Rlm` over a store. */
interface Process {
  readonly rlm: Rlm;
  readonly store: Store;
  readonly events: readonly RunEvent[];
  diverged(): readonly RunEvent[];
  close(): Promise<void>;
}

/** How a session is made. */
interface Making {
  readonly session?: SessionOptions;
  readonly options?: Partial<RlmOptions>;
}

/** Where a session that was let go of can be opened again. */
interface LeftSession {
  readonly id: string;
  readonly path: string;
}

interface Reopener {
  /** An `Rlm` over a store, as a process of its own has it. */
  process(path: string, options?: Partial<RlmOptions>): Process;
  /** A session that was used and let go of. */
  made(making: Making, use: (session: Session) => Promise<unknown>): Promise<LeftSession>;
  reopened(
    left: LeftSession,
    given?: OpenSessionOptions,
    options?: Partial<RlmOptions>,
  ): Promise<Process & { readonly session: Session }>;
}

/** Makes and reopens sessions on one backend. */
export function reopener(repl: ReplBackend): Reopener {
  afterAll(() => repl.close());

  function process(path: string, options: Partial<RlmOptions> = {}): Process {
    const store = sqliteStore(path);
    const events: RunEvent[] = [];
    const model = scriptedModel([], { modelId: 'root' });
    const rlm = createRlm({ model, repl, store, ...options, onEvent: (event) => events.push(event) });
    return {
      rlm,
      store,
      events,
      diverged: () => events.filter(({ type }) => type === 'journal.diverged'),
      async close() {
        await rlm.close();
        await store.close();
      },
    };
  }
  return {
    process,
    async made({ session: given, options }, use) {
      const path = freshPath('store');
      const first = process(path, options);
      const session = await first.rlm.createSession(given);
      await use(session);
      await first.close();
      return { id: session.id, path };
    },
    async reopened({ id, path }, given, options) {
      const next = process(path, options);
      return { ...next, session: await next.rlm.openSession(id, given) };
    },
  };
}
