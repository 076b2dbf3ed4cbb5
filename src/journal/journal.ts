import type { Clock } from '../clock.ts';
import type { Durability, JournalEntry, JournalLog } from '../store/port.ts';
import type { EntryBodies, EntryKind } from './entries.ts';
import type { Journal, Unrecorded } from './port.ts';
import { JournalRecord } from './record.ts';
import { Scope, type ScopeCore } from './scope.ts';
import { Ordinals } from './step-key.ts';

export interface JournalOptions {
  /** Id of the log: the run id of the tree's root, or a session's id. */
  readonly journalId: string;
  readonly store: { readonly journal: JournalLog; flush(): Promise<void> };
  readonly clock: Clock;
  /** Default `run`. */
  readonly unrecorded?: Unrecorded;
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

function journalWith({ journalId, store, clock, unrecorded = 'run' }: JournalOptions, record: JournalRecord): Journal {
  const dangling = record.dangling();
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
      failure ??= { error };
      throw error;
    }
  }
  const core: ScopeCore = { record, ordinals: new Ordinals(record.keys()), write, unrecorded };
  for (const { key, attempt, settlement } of dangling) {
    write('settle', key, { attempt, settlement, inFlight: true }).catch(ignore);
  }
  return {
    root: new Scope(core, ''),
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
