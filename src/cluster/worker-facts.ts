/** The work of a worker: a child of another process, or a whole run. */
export type WorkKind = 'child' | 'run';

/** The work of a worker so far, for its metrics. */
export class WorkerFacts {
  readonly #begun = new Map<WorkKind, number>();
  readonly #ended = new Map<WorkKind, Map<string, number>>();
  /** Model calls that children began. */
  calls = 0;
  /** Executions that another worker took over. */
  takenOver = 0;
  /** Milliseconds for which Redis has been silent. */
  redisSilentMs = 0;

  begin(kind: WorkKind): void {
    this.#begun.set(kind, (this.#begun.get(kind) ?? 0) + 1);
  }

  /** @param outcome of the run, or `failed` */
  end(kind: WorkKind, outcome: string): void {
    const ends = this.#ended.get(kind) ?? new Map<string, number>();
    this.#ended.set(kind, ends.set(outcome, (ends.get(outcome) ?? 0) + 1));
  }

  begun(kind: WorkKind): number {
    return this.#begun.get(kind) ?? 0;
  }

  ended(kind: WorkKind): ReadonlyMap<string, number> {
    return this.#ended.get(kind) ?? new Map();
  }
}

/** Figures of a worker now. */
export interface WorkerStatus {
  readonly children: number;
  readonly runs: number;
  readonly maxChildren: number;
  /** 0 without a store. */
  readonly maxRuns: number;
  /** Children that wait for a worker, from all processes of the queue. */
  readonly waiting: number;
}
