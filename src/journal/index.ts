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
export { type JournalCall, journalCalls } from './calls.ts';
export { journalChildren } from './children.ts';
export { createJournal, openJournal } from './journal.ts';
export type {
  ChildRun,
  CommandRun,
  Journal,
  JournalScope,
  RecordedMessage,
  Recovered,
  Step,
} from './port.ts';
export { notRecorded } from './port.ts';
