/**
 * The durable record from which an interrupted completion resumes without paying again.
 *
 * @example
 * ```ts
 * const journal = await openJournal({ journalId: runId, store, clock });
 * const reply = await journal.root.step({ kind: 'root', turn: 1 }, (step) => callModel(step.account(account)));
 * ```
 *
 * @module
 */
export { journalChildren } from './children.ts';
export { createJournal, openJournal } from './journal.ts';
export type {
  ChildRun,
  CommandRun,
  Journal,
  JournalScope,
  Recovered,
  Step,
} from './port.ts';
export { notRecorded } from './port.ts';
