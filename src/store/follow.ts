import type { RunEvent } from '../event/event.ts';
import type { Store } from './port.ts';
import type { RunRecord, RunStatus } from './run-record.ts';

/** Which events to follow. */
export interface FollowOptions {
  readonly runId: string;
  /** Events with a higher number only. Default 0: from the first. */
  readonly after?: number;
  /** Also while no process works on the run: another may take it over. Default false: it ends there. */
  readonly patient?: boolean;
  readonly signal?: AbortSignal;
}

const AT_WORK: ReadonlySet<RunStatus> = new Set(['running']);
const NOT_ENDED: ReadonlySet<RunStatus> = new Set(['queued', 'running', 'interrupted']);

/**
 * The events of a run, those that are stored and those that come, whichever process works on it. It ends with the run, and returns
 * the last record that it read; undefined for a run that the store does not have.
 *
 * @throws RlmError `store-failure`
 */
export async function* followRun(
  store: Pick<Store, 'runs' | 'events' | 'watch'>,
  { runId, after = 0, patient = false, signal }: FollowOptions,
): AsyncGenerator<RunEvent, RunRecord | undefined> {
  const follows = patient ? NOT_ENDED : AT_WORK;
  const changes = changesOf(store, runId, signal);
  let last = after;
  let terminal: string | undefined;
  try {
    for (;;) {
      const changed = changes.next();
      const record = await store.runs.get(runId);
      // Read after the status, so that the events of its end are among them.
      for (const event of await store.events.read(runId, { after: last })) {
        if (event.type !== 'run.completed') last = event.seq;
        // A run that is resumed takes its terminal event back, and uses the number again.
        else if (event.time === terminal) continue;
        else terminal = event.time;
        if (signal?.aborted === true) return record;
        yield event;
      }
      if (record === undefined || !follows.has(record.status) || signal?.aborted === true) return record;
      await changed;
    }
  } finally {
    changes.end();
  }
}

/** Any long time. Milliseconds. */
const MONTH_MS = 2_000_000_000;

interface Changes {
  /** Resolves with the next change after this call, or when the signal fires. */
  next(): Promise<void>;
  end(): void;
}

function changesOf(store: Pick<Store, 'watch'>, runId: string, signal: AbortSignal | undefined): Changes {
  let waiting = Promise.withResolvers<void>();
  const wake = (): void => {
    waiting.resolve();
    waiting = Promise.withResolvers<void>();
  };
  const unwatch = store.watch(runId, wake);
  // A watch keeps no process alive; who waits for the end of a run does.
  const alive = setInterval(() => undefined, MONTH_MS);
  signal?.addEventListener('abort', wake);
  return {
    next: () => waiting.promise,
    end() {
      unwatch();
      clearInterval(alive);
      signal?.removeEventListener('abort', wake);
    },
  };
}
