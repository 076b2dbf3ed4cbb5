import type { Store } from './port.ts';
import type { StopRequest } from './stop-table.ts';

/** Milliseconds between two looks at what other processes wrote, where nothing reports it. */
const LOOK_MS = 250;

type OnStop = (request: StopRequest) => void;

/** Who wants to know of changes of runs in one open store. */
export class Watchers {
  readonly #runs = new Map<string, Set<() => void>>();
  readonly #stops = new Map<string, Set<OnStop>>();
  readonly #onNumber: (watched: boolean) => void;

  /** @param onNumber called when the first watch begins, and after the last one has ended */
  constructor(onNumber: (watched: boolean) => void = () => undefined) {
    this.#onNumber = onNumber;
  }

  /** Runs whose stop requests are watched. */
  get stopped(): readonly string[] {
    return [...this.#stops.keys()];
  }

  watchRun(runId: string, onChange: () => void): () => void {
    return this.#add(this.#runs, runId, onChange);
  }

  watchStop(runId: string, onRequest: OnStop): () => void {
    return this.#add(this.#stops, runId, onRequest);
  }

  /** A run may have changed. */
  changed(runId: string): void {
    for (const onChange of this.#runs.get(runId) ?? []) onChange();
  }

  /** Any run may have changed. */
  anyChanged(): void {
    for (const runId of this.#runs.keys()) this.changed(runId);
  }

  /** A run is asked to end. */
  requested(runId: string, request: StopRequest): void {
    for (const onRequest of this.#stops.get(runId) ?? []) onRequest(request);
  }

  #add<T>(all: Map<string, Set<T>>, runId: string, listener: T): () => void {
    const isFirst = this.#runs.size + this.#stops.size === 0;
    const own = all.get(runId) ?? new Set<T>();
    all.set(runId, own.add(listener));
    if (isFirst) this.#onNumber(true);
    return () => {
      if (!own.delete(listener)) return;
      if (own.size === 0 && all.get(runId) === own) all.delete(runId);
      if (this.#runs.size + this.#stops.size === 0) this.#onNumber(false);
    };
  }
}

/** Looks again and again while it is watched. It keeps no process alive. */
export function lookRegularly(look: () => void, everyMs: number = LOOK_MS): (watched: boolean) => void {
  let timer: NodeJS.Timeout | undefined;
  return (watched) => {
    clearInterval(timer);
    timer = watched ? setInterval(look, everyMs).unref() : undefined;
  };
}

/** Tables that report each change of a run once it is stored. */
export function announcing<T extends Pick<Store, 'events' | 'runs'>>(tables: T, changed: (runId: string) => void): T {
  const { events, runs } = tables;
  const after = (stored: Promise<void> | undefined, runId: string): Promise<void> | undefined => {
    if (stored === undefined) changed(runId);
    else
      stored.then(
        () => changed(runId),
        () => undefined, // The caller gets the failure.
      );
    return stored;
  };
  return {
    ...tables,
    events: {
      ...events,
      append: (event, options) => after(events.append(event, options), event.runId),
      truncate: (runId, seq) => after(events.truncate(runId, seq), runId),
    },
    runs: { ...runs, put: (record) => after(runs.put(record), record.id) },
  };
}
