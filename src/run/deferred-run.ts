import type { RunEvent } from '../event/event.ts';
import type { CompletionRun } from './run-handle.ts';

/** A run in a box: a promise of a run itself would wait for its result, because a run is awaited like one. */
export interface BoxedRun<T> {
  readonly run: CompletionRun<T>;
}

/**
 * A run that has to be read from somewhere before it can start: a handle at once, whose requests to stop reach the run as
 * soon as it is there.
 */
export function deferRun<T>(id: string, open: () => Promise<BoxedRun<T>>): CompletionRun<T> {
  const opened = open();
  const result = opened.then(({ run }) => run);
  // As for every run: whoever only watches the events must not end the process by an unhandled rejection.
  result.catch(() => undefined);
  const pass = (act: (run: CompletionRun<T>) => void): void => {
    opened.then(
      ({ run }) => act(run),
      () => undefined,
    );
  };
  return {
    id,
    cancel: (reason) => pass((run) => run.cancel(reason)),
    finish: (reason) => pass((run) => run.finish(reason)),
    // biome-ignore lint/suspicious/noThenProperty: a run is awaited like one model call.
    then: (fulfilled, rejected) => result.then(fulfilled, rejected),
    [Symbol.asyncIterator]: () => events(opened),
  };
}

async function* events<T>(opened: Promise<BoxedRun<T>>): AsyncGenerator<RunEvent> {
  const boxed = await opened.catch(() => undefined);
  if (boxed !== undefined) yield* boxed.run;
}
