import type { RestartTree } from '../engine/restart.ts';
import type { OpenRun } from '../engine/run.ts';
import type { StopControl } from '../engine/stop-control.ts';
import type { Journal } from '../journal/index.ts';

/** One attempt at a run. A run has several when its REPLs are killed from outside. */
export interface Generation {
  readonly run: OpenRun;
  readonly journal: Journal;
}

const FROM_JOURNAL = 'the run executes its cells again in a new REPL, with every answer it has paid for';

/**
 * Opens the same run again from its journal: its cells run again in a new REPL, and nothing is emitted or paid twice. A
 * failure of the store meanwhile is the problem of the new generation.
 */
export async function nextGeneration(
  ended: Generation,
  error: RestartTree,
  open: (journal: Journal) => Generation,
): Promise<Generation> {
  const { run } = ended;
  let next: Generation;
  try {
    run.events.emit({ type: 'repl.restarted', reason: error.reason, lost: FROM_JOURNAL });
    await Promise.all([run.events.flush(), ended.journal.flush()]);
    const { runs } = run.engine;
    const { tail } = await runs.reopenLog(run.id);
    run.events.restartLog(tail);
    next = open(await runs.reopenJournal(run.id));
  } catch (problem) {
    next = { ...ended, run: { ...run, problem: { error: problem } } };
  }
  passOn(run.stop, next.run.stop);
  return next;
}

/** Passes on stop requests that arrived between two generations. */
function passOn(from: StopControl, to: StopControl): void {
  if (from === to) return;
  if (from.paused) to.pause(from.cancelled);
  else if (from.cancelled !== undefined) to.cancel(from.cancelled);
  if (from.limit?.stop === 'finish-requested') to.finish(from.limit.reason);
}
