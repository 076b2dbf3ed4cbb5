import { RlmError } from '../errors.ts';
import type { RestartInfo } from '../repl/port.ts';

/**
 * Unwinds every run of a tree whose REPL was killed from outside: the tree is about to be replayed in new REPLs, so no
 * run of it records an end.
 */
export class RestartTree extends RlmError {
  /** What happened to the REPL, as a phrase. */
  readonly reason: string;

  constructor({ reason }: Pick<RestartInfo, 'reason'>) {
    super({ code: 'repl-failure', message: `The REPL was lost: ${reason}.`, data: { reason } });
    this.reason = reason;
  }
}
