import { CompletionError } from '../engine/result.ts';
import { RlmError } from '../errors.ts';
import type { CompletionRun } from '../run/run-handle.ts';

export interface SettleOptions {
  /** Resolves when the session has updated its state. */
  readonly settled: () => Promise<void>;
  /** The error to reject with in place of the run's own. */
  readonly failedAs: (error: unknown) => unknown;
}

/** Delays a run's result until its session has updated its state. */
export function whenSettled<T>(run: CompletionRun<T>, { settled, failedAs }: SettleOptions): CompletionRun<T> {
  const result = (async () => {
    try {
      return await run;
    } catch (error) {
      throw failedAs(error);
    } finally {
      await settled();
    }
  })();
  // A caller that only reads the events must not end the process by an unhandled rejection.
  result.catch(() => undefined);
  return {
    ...run,
    // biome-ignore lint/suspicious/noThenProperty: a run is awaited like one model call.
    then: (fulfilled, rejected) => result.then(fulfilled, rejected),
    catch: (rejected) => result.catch(rejected),
    finally: (ended) => result.finally(ended),
  };
}

/** The error of what ran when its session was closed. */
export function closedAs(error: unknown, closed: RlmError): unknown {
  if (!RlmError.isInstance(error) || (error.code !== 'cancelled' && error.code !== 'session-closed')) return error;
  if (!(error instanceof CompletionError)) return closed;
  const { result, resumable, data } = error;
  return new CompletionError({
    code: closed.code,
    message: closed.message,
    userAction: true,
    data: { ...data, ...closed.data },
    cause: error,
    result,
    resumable,
  });
}
