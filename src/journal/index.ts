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
export { type JournalChild, journalChildren } from './children.ts';
export { createJournal, type JournalOptions, openJournal } from './journal.ts';
export type {
  ChildRun,
  CommandCheck,
  CommandRecord,
  CommandRun,
  Divergence,
  Journal,
  JournalScope,
  Recovered,
  RecoveredAttempt,
  Step,
  StepCall,
  StepKind,
  Unrecorded,
} from './port.ts';
export { notRecorded } from './port.ts';
