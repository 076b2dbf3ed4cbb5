import type { RunEvent } from '../event/event.ts';

/** Events of several runs as one iterable. Each run keeps its durable events, so a late subscriber misses none. */
export interface MergedEvents {
  readonly add: (run: AsyncIterable<RunEvent>) => void;
  /** Declares that no further run is added. */
  readonly end: () => void;
  readonly subscribe: () => AsyncGenerator<RunEvent>;
}

/** Merges events in the order in which they arrive. At most one event of each run is read ahead of a subscriber. */
export function mergeEvents(): MergedEvents {
  const runs: AsyncIterable<RunEvent>[] = [];
  const subscribers = new Set<() => void>();
  let ended = false;
  const wakeAll = (): void => {
    for (const wake of subscribers) wake();
  };
  return {
    add(run) {
      runs.push(run);
      wakeAll();
    },
    end() {
      ended = true;
      wakeAll();
    },
    async *subscribe() {
      const arrived: Arrived[] = [];
      const reading = new Set<AsyncIterator<RunEvent>>();
      let seen = 0;
      let changed = Promise.withResolvers<void>();
      const wake = (): void => {
        changed.resolve();
        changed = Promise.withResolvers();
      };
      const read = (iterator: AsyncIterator<RunEvent>): void => {
        const arrive = (result: IteratorResult<RunEvent>): void => {
          arrived.push({ iterator, result });
          wake();
        };
        // A subscription of a run never rejects; if one did, its events would end here.
        iterator.next().then(arrive, () => arrive({ done: true, value: undefined }));
      };
      subscribers.add(wake);
      try {
        for (;;) {
          for (; seen < runs.length; seen += 1) {
            const iterator = runs[seen]?.[Symbol.asyncIterator]();
            if (iterator === undefined) continue;
            reading.add(iterator);
            read(iterator);
          }
          const next = arrived.shift();
          if (next === undefined) {
            if (ended && reading.size === 0) return;
            await changed.promise;
          } else if (next.result.done === true) {
            reading.delete(next.iterator);
          } else {
            read(next.iterator);
            yield next.result.value;
          }
        }
      } finally {
        subscribers.delete(wake);
        for (const iterator of reading) await iterator.return?.();
      }
    },
  };
}

interface Arrived {
  readonly iterator: AsyncIterator<RunEvent>;
  readonly result: IteratorResult<RunEvent>;
}
