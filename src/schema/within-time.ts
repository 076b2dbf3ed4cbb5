import { createContext, Script } from 'node:vm';

const CALL = new Script('work()');
/** Where a call can be stopped from outside. It holds nothing but the work of the moment. */
let stoppable: { work: (() => unknown) | undefined } | undefined;

/** {@link withinTime} has given work up. Caught by who called it: nobody else sees one. */
export class TookTooLong extends Error {}

/**
 * Calls `work` and gives it up after `ms` milliseconds, wherever it is: a regular expression that backtracks for years
 * cannot be stopped in any other way from its own thread.
 *
 * @throws TookTooLong
 */
export function withinTime<T>(ms: number, work: () => T): T {
  stoppable ??= createContext({ work: undefined }) as { work: (() => unknown) | undefined };
  const outer = stoppable.work;
  stoppable.work = work;
  try {
    return CALL.runInContext(stoppable, { timeout: ms }) as T;
  } catch (error) {
    // Of the other context, and so no instance of our `Error`.
    if ((error as { code?: unknown } | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new TookTooLong(`longer than ${ms} ms`);
  } finally {
    stoppable.work = outer;
  }
}
