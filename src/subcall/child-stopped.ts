import type { RlmError } from '../errors.ts';
import type { SubCallReply } from '../repl/port.ts';
import type { Trajectory } from '../trajectory.ts';

/** A child was stopped with the run it belongs to: no result to record, but what it had gained is told. */
export class ChildStopped extends Error {
  override readonly cause: RlmError;
  readonly usage: SubCallReply['usage'];
  readonly trajectory: Trajectory;

  constructor(cause: RlmError, gained: { readonly usage: SubCallReply['usage']; readonly trajectory: Trajectory }) {
    super(cause.message);
    this.name = 'ChildStopped';
    this.cause = cause;
    this.usage = gained.usage;
    this.trajectory = gained.trajectory;
  }
}
