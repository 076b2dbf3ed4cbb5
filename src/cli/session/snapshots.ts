import { EXIT } from '../exit-codes.ts';
import type { StoreOptions } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { counted } from '../screen/figures.ts';
import { writeJson } from '../screen/terminal-text.ts';
import { withSession } from './with-session.ts';

/** The options of commands that work on snapshots. */
export interface SnapshotOptions extends StoreOptions {
  readonly json?: true;
}

/** A session, and snapshots of it by name. */
export interface OnSnapshots {
  readonly id: string;
  readonly names: readonly string[];
  readonly options: SnapshotOptions;
  readonly console: Console;
}

/** Takes snapshots under these names. Resolves with the exit code. */
export async function takeSnapshots(on: OnSnapshots): Promise<number> {
  return await changing(on, 'taken', (session, name) => session.snapshot(name));
}

/** Goes back to a snapshot. Resolves with the exit code. */
export async function rollback(on: OnSnapshots): Promise<number> {
  return await changing(on, 'restored', (session, name) => session.rollback(name));
}

/** Deletes snapshots, which frees their places. Resolves with the exit code. */
export async function deleteSnapshots(on: OnSnapshots): Promise<number> {
  return await changing(on, 'deleted', (session, name) => session.deleteSnapshot(name));
}

type Session = Parameters<Parameters<typeof withSession>[1]>[0]['session'];

async function changing(
  { id, names, options, console }: OnSnapshots,
  done: string,
  change: (session: Session, name: string) => Promise<unknown>,
): Promise<number> {
  const note = (line: string): void => void console.stderr.write(`${line}\n`);
  const snapshots = await withSession({ id, options, console, note }, async ({ session }) => {
    for (const name of names) await change(session, name);
    return await session.snapshots();
  });
  if (options.json === true) writeJson(console.stdout, snapshots);
  else note(`${names.join(', ')} ${done}; ${counted(snapshots.length, 'snapshot')} in all.`);
  return EXIT.answered;
}
