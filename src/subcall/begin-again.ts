import { RlmError } from '../errors.ts';
import type { RestartInfo } from '../repl/port.ts';

/** Ends every run of a tree that is to begin again at once, because a REPL of it was killed: no end of them is told. */
export class BeginAgain extends RlmError {
  /** What happened to the REPL, as a phrase. */
  readonly reason: string;

  constructor({ reason }: Pick<RestartInfo, 'reason'>) {
    super({ code: 'repl-failure', message: `The REPL was lost: ${reason}.`, data: { reason } });
    this.reason = reason;
  }
}
