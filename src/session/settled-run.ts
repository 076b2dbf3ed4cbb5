import type { CompletionRun } from '../run/run-handle.ts';

/** A run whose result comes once what follows it has settled as well: then its session stands as the result says. */
export function whenSettled<T>(run: CompletionRun<T>, settled: () => Promise<void>): CompletionRun<T> {
  const result = (async () => {
    try {
      return await run;
    } finally {
      await settled();
    }
  })();
  // As for every run: whoever only watches the events must not end the process by an unhandled rejection.
  result.catch(() => undefined);
  return {
    ...run,
    // biome-ignore lint/suspicious/noThenProperty: a run is awaited like one model call.
    then: (fulfilled, rejected) => result.then(fulfilled, rejected),
  };
}
