import { RlmError } from '../../errors.ts';
import { isSnapshotName } from '../names.ts';
import type { SnapshotInfo } from '../port.ts';
import type { GuestLink } from './guest-link.ts';

/** Takes and restores the snapshots themselves. */
export interface SnapshotDriver {
  capture(id: string): Promise<{ readonly bytes: number }>;
  restore(id: string): Promise<GuestLink>;
  discard(id: string): Promise<void>;
}

/** The named snapshots of one REPL: names, limit, order and parents. */
export interface SnapshotIndex {
  /** @throws RlmError `invalid-name`, `snapshot-exists`, `snapshot-limit` */
  take(name: string, mark: number): Promise<SnapshotInfo>;
  /** Gives the mark that was left at `take`. @throws RlmError `snapshot-not-found` */
  restore(name: string): Promise<{ readonly link: GuestLink; readonly mark: number }>;
  /** @throws RlmError `snapshot-not-found` */
  remove(name: string): Promise<void>;
  list(): readonly SnapshotInfo[];
}

interface NamedSnapshot {
  readonly id: string;
  readonly mark: number;
  readonly info: SnapshotInfo;
}

/** An index of at most `limit` snapshots. */
export function createSnapshotIndex(driver: SnapshotDriver, limit: number): SnapshotIndex {
  const byName = new Map<string, NamedSnapshot>();
  let taken = 0;
  let current: string | undefined;

  function find(name: string): NamedSnapshot {
    const found = byName.get(name);
    if (found !== undefined) return found;
    const names = [...byName.keys()];
    const exist = names.length === 0 ? 'There are none.' : `These exist: ${names.join(', ')}.`;
    throw new RlmError({
      code: 'snapshot-not-found',
      message: `There is no snapshot ${JSON.stringify(name)}. ${exist}`,
    });
  }

  return {
    async take(name, mark) {
      checkSnapshotName(name);
      if (byName.has(name)) {
        throw new RlmError({
          code: 'snapshot-exists',
          message: `There is a snapshot ${JSON.stringify(name)} already. Take another name, or delete it first.`,
        });
      }
      if (byName.size >= limit) {
        throw new RlmError({
          code: 'snapshot-limit',
          message: `There are ${byName.size} snapshots, and no more are allowed (maxSnapshots = ${limit}). Delete one first.`,
          budget: true,
        });
      }
      taken += 1;
      const id = `s${taken}`;
      const { bytes } = await driver.capture(id);
      const createdAt = new Date().toISOString();
      const parent = current !== undefined && byName.has(current) ? { parent: current } : {};
      const info: SnapshotInfo = { name, createdAt, bytes, ...parent };
      byName.set(name, { id, mark, info });
      current = name;
      return info;
    },
    async restore(name) {
      const { id, mark } = find(name);
      const link = await driver.restore(id);
      current = name;
      return { link, mark };
    },
    async remove(name) {
      const { id } = find(name);
      byName.delete(name);
      await driver.discard(id);
    },
    list: () => [...byName.values()].map((each) => each.info),
  };
}

function checkSnapshotName(name: unknown): void {
  if (typeof name === 'string' && isSnapshotName(name)) return;
  throw new RlmError({
    code: 'invalid-name',
    message: `${JSON.stringify(name) ?? 'Nothing'} is not a valid name for a snapshot: give up to 64 letters, digits, ".", "_" and "-", the first a letter or digit.`,
    userAction: true,
  });
}
