/**
 * Children ready to be REPLs: the level is proved once, the base snapshot opened once, and one spare kept warm.
 *
 * @module
 */
import { RlmError } from '../../errors.ts';
import type { BaseSnapshot } from './base-snapshot.ts';
import type { OpenWall } from './child/protocol.ts';
import type { ChildHandle, ReadyReport } from './child-handle.ts';
import { type Proof, warmUp } from './self-test.ts';
import type { Level, SpawnRequest } from './spawn.ts';
import { start } from './start.ts';

/** How children are made. */
export interface PoolOptions {
  readonly node: string;
  readonly cacheDir?: string;
  /** Booted children kept ready. */
  readonly spares: number;
  /** Do not try for more than this. */
  readonly most: Level;
  readonly switches: TestSwitches;
}

/** What only tests set. */
export interface TestSwitches extends Pick<SpawnRequest, 'withoutPermission' | 'stdin' | 'env' | 'onPrint'> {
  /** Walls left open. */
  readonly open?: readonly OpenWall[];
  readonly hostFolder?: string;
  readonly onReady?: (report: ReadyReport) => void;
}

/** What the level rests on. */
export interface LevelReport {
  readonly level: Level;
  readonly proofs: readonly Proof[];
  /** Why `namespace` was not reached, when it was not. */
  readonly refused: string | undefined;
  readonly bubblewrap: string | undefined;
}

/** Booted children. */
export interface Pool {
  /** The level of all children, proved. @throws RlmError `isolation-unavailable` when even `process` does not hold */
  level(): Promise<LevelReport>;
  /** A booted child; from the spares when there is one. */
  take(): Promise<ChildHandle>;
  close(): Promise<void>;
}

/** What starting gives: the level, and how further children are made. */
export interface Started {
  readonly report: LevelReport;
  readonly base: BaseSnapshot;
  readonly spawn: () => ChildHandle;
}

/** Makes a pool; nothing starts before it is asked for. */
export function createPool(options: PoolOptions): Pool {
  const spares: ChildHandle[] = [];
  const living = new Set<ChildHandle>();
  /** Resolves when a spare has run its first cell. */
  const warm = new WeakMap<ChildHandle, Promise<void>>();
  let starting: Promise<Started> | undefined;
  let closed = false;

  const begin = (): Promise<Started> => {
    if (closed) throw new RlmError({ code: 'repl-failure', message: 'The pyodide backend is closed.' });
    starting ??= start(options, watch).then(({ first, ...started }) => {
      spares.push(first);
      warm.set(first, Promise.resolve());
      return started;
    });
    // A start that failed is tried again by the next REPL: a cache folder may have been full.
    starting.catch(() => {
      starting = undefined;
    });
    return starting;
  };
  function watch(child: ChildHandle): ChildHandle {
    living.add(child);
    void child.ended.then(() => {
      living.delete(child);
      const index = spares.indexOf(child);
      if (index >= 0) spares.splice(index, 1);
    });
    return child;
  }
  const refill = (spawn: () => ChildHandle): void => {
    if (closed) return;
    while (spares.length < options.spares) {
      const child = spawn();
      spares.push(child);
      // A spare that does not even start is noticed by whoever takes it.
      warm.set(
        child,
        warmUp(child).catch(() => {}),
      );
    }
  };
  return {
    level: async () => (await begin()).report,
    async take() {
      const { spawn } = await begin();
      const child = spares.shift() ?? spawn();
      await child.busy(() => child.ready);
      await child.busy(() => warm.get(child) ?? Promise.resolve());
      // After the one who waits has got on: a boot takes a processor for a third of a second.
      setTimeout(() => refill(spawn), REFILL_DELAY_MS).unref();
      return child;
    },
    async close() {
      closed = true;
      const started = await starting?.catch(() => undefined);
      const ended = [...living].map(async (child) => {
        child.kill('the backend was closed');
        await child.busy(() => child.ended);
        child.store.close();
      });
      await Promise.all(ended);
      started?.base.file.close();
    },
  };
}

const REFILL_DELAY_MS = 20;
