import { defined } from '../defined.ts';
import type { RunResumed } from './event.ts';
import type { EventLog, EventTail } from './event-log.ts';

/** The log of a run that continues. */
export interface ReopenedLog {
  /** For the bus. */
  readonly tail: EventTail;
  /** How the run had ended before, if it had come to an end: for `run.resumed`. */
  readonly previous?: NonNullable<RunResumed['previous']>;
}

/**
 * Opens the event log of a run, or of a child within one, that is resumed. A paused run had ended once; resuming it
 * takes its terminal record back, so that there is one in the end.
 *
 * @throws RlmError `store-failure`
 */
export async function reopenLog(events: EventLog, runId: string): Promise<ReopenedLog> {
  const tail = await events.tail(runId);
  const [last] = await events.read(runId, { after: tail.lastSeq - 1 });
  if (last?.type !== 'run.completed') return { tail };
  await events.truncate(runId, last.seq);
  const { outcome, stop, reason } = last;
  return { tail: await events.tail(runId), previous: { outcome, stop, ...defined({ reason }) } };
}
