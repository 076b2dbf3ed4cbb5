import { RlmError } from '../errors.ts';
import type { RestartInfo } from '../repl/port.ts';

/**
 * Unwinds every run of a tree whose REPL was killed from outside: the tree is about to be replayed in new REPLs, so no
 * run of it records an end.
 */
export class RestartTree extends RlmError {
  /** The fate of the REPL, as a phrase for messages. */
  readonly reason: string;

  constructor({ reason }: Pick<RestartInfo, 'reason'>) {
    super({ code: 'repl-failure', message: `The REPL was lost: ${reason}.`, data: { reason } });
    this.reason = reason;
  }
}

/**
 * Restarts per run. A machine that kills more REPLs than this within one run has a problem that its owner should know
 * of; the run can still be resumed.
 */
const MAX_RESTARTS = 3;

/**
 * Decides whether a tree is replayed after one of its REPLs was killed from outside: its cells run again in new REPLs, and
 * the journal answers every paid call, as when a run is resumed. A command that is killed a second time is taken for the
 * cause of it; its model then reads that the REPL was restarted.
 */
export class RestartPolicy {
  readonly #killed = new Set<string>();
  #restarts = 0;
  #restarting = false;

  /** Whether the tree may be replayed because of `place` (a command of a completion). */
  takes(place: string): boolean {
    if (!this.#restarting) {
      if (this.#restarts >= MAX_RESTARTS || this.#killed.has(place)) return false;
      this.#restarts += 1;
      this.#restarting = true;
    }
    this.#killed.add(place);
    return true;
  }

  /** Counts a restart of the tree. */
  restarted(): void {
    this.#restarting = false;
  }
}
