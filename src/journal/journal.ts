import type { Clock } from '../clock.ts';
import { RlmError } from '../errors.ts';
import type { Durability, JournalEntry, JournalLog } from '../store/port.ts';
import type { EntryBodies, EntryKind } from './entries.ts';
import type { Journal, Unrecorded } from './port.ts';
import { JournalRecord } from './record.ts';
import { Scope, type ScopeCore } from './scope.ts';
import { Ordinals, scopePrefix } from './step-key.ts';

export interface JournalOptions {
  /** Id of the log: the run id of the tree's root, or a session's id. */
  readonly journalId: string;
  readonly store: { readonly journal: JournalLog; flush(): Promise<void>; ownedForMs?(): number | Promise<number> };
  readonly clock: Clock;
  /** Default `run`. */
  readonly unrecorded?: Unrecorded;
  /** The scope of the completion, where it is a child of one in another process. Default: the tree's root. */
  readonly path?: string;
}

/**
 * The journal of a new run.
 *
 * @example
 * ```ts
 * const { root } = createJournal({ journalId: runId, store, clock });
 * const reply = await root.step({ kind: 'root', turn: 1 }, (step) => callModel(step.account(account)));
 * ```
 */
export function createJournal(options: JournalOptions): Journal {
  return journalWith(options, new JournalRecord([]));
}

/**
 * The journal of a run that is resumed. Attempts that were in flight are settled as possibly billed.
 *
 * @throws RlmError `store-failure`
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  return journalWith(options, new JournalRecord(await options.store.journal.read(options.journalId)));
}

function journalWith(
  { journalId, store, clock, unrecorded = 'run', path = '' }: JournalOptions,
  record: JournalRecord,
): Journal {
  const unsettled = record.unsettled();
  const recovered = record.recovered();
  const startedAt = clock.now() - recovered.elapsedMs;
  // The first failure to write ends the run at its next step, also when that write was not awaited.
  let failure: { readonly error: unknown } | undefined;
  async function write<K extends EntryKind>(
    kind: K,
    key: string,
    body: Omit<EntryBodies[K], 'at'>,
    durability: Durability = 'written',
  ): Promise<void> {
    if (failure !== undefined) throw failure.error;
    const at = Math.max(0, Math.round(clock.now() - startedAt));
    const entry = { kind, key, body: { at, ...body } } as unknown as JournalEntry;
    try {
      await store.journal.append(journalId, entry, durability);
    } catch (error) {
      // In a child of another process, an attempt may be refused there for its cost: the run continues.
      if (!RlmError.isInstance(error) || !error.budget) failure ??= { error };
      throw error;
    }
  }
  const readBelow = async (path: string): Promise<readonly JournalEntry[]> => {
    const start = scopePrefix(path);
    return (await store.journal.read(journalId)).filter(({ key }) => key.startsWith(start));
  };
  const ownedForMs = (): number | Promise<number> => store.ownedForMs?.() ?? Number.POSITIVE_INFINITY;
  const core: ScopeCore = { record, ordinals: new Ordinals(record.keys()), write, readBelow, ownedForMs, unrecorded };
  for (const { key, attempt, settlement } of unsettled) {
    write('settle', key, { attempt, settlement, inFlight: true }).catch(ignore);
  }
  return {
    root: new Scope(core, path),
    recovered,
    get unrecorded() {
      return core.unrecorded;
    },
    set unrecorded(mode) {
      core.unrecorded = mode;
    },
    flush: () => store.flush(),
  };
}

function ignore(): void {}
