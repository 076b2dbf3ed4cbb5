import type { ChildOptions } from '../engine/run.ts';
import type { EventBus } from '../event/bus.ts';
import type { EventBody } from '../event/event.ts';
import { addFigures, figuresOf, NO_FIGURES, type RunFigures } from '../resume/run-logs.ts';

type Body<Type> = EventBody & { readonly type: Type };

/** A run on a worker, as this process emits its events. */
interface RelayedRun {
  readonly bus: EventBus;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  readonly parentRunId: string;
  started: Body<'run.started'> | undefined;
  /** Of this run alone, from the events that were new. */
  figures: RunFigures;
}

/**
 * The events of a child and of the runs below it, which a worker reports and this process emits. A worker that is gone, or too
 * slow to stop, reports no end: then this process emits the terminal event, so that each run has one.
 */
export class RelayedRuns {
  readonly #options: ChildOptions;
  readonly #runs = new Map<string, RelayedRun>();
  /** The child's own terminal event: emitted with its result, so that a takeover by another worker does not find it ended. */
  #terminal: Body<'run.completed'> | undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  /** @throws RlmError `store-failure` */
  async open(runId: string, parentRunId: string, resumed: boolean): Promise<RelayedRun> {
    const { engine, tree } = this.#options.parent;
    const tail = resumed && !this.#runs.has(runId) ? (await engine.runs.reopenLog(runId)).tail : undefined;
    const known = this.#runs.get(runId);
    if (known !== undefined) return known;
    const above = this.#runs.get(parentRunId)?.bus;
    const parent = above === undefined ? this.#options.parent : { id: parentRunId, events: above };
    const bus = engine.openEvents({ runId, traceId: tree.id, parent, ...(tail !== undefined && { tail }) });
    const openedAt = engine.clock.now();
    const run = { bus, openedAt, parentRunId: parent.id, started: undefined, figures: NO_FIGURES };
    this.#runs.set(runId, run);
    return run;
  }

  /** Resolves when the event is stored. @throws RlmError `store-failure` */
  async emit(runId: string, parentRunId: string, body: EventBody): Promise<void> {
    if (runId === this.#options.child.runId && body.type === 'run.completed') {
      this.#terminal = body;
      return;
    }
    const run = await this.open(runId, parentRunId, false);
    const { bus } = run;
    const { seq } = bus;
    bus.emit(body);
    if (body.type === 'run.started') run.started = body;
    if (bus.seq > seq) run.figures = addFigures(run.figures, figuresOf({ events: [body], children: [] }));
    await bus.flush();
  }

  /** Another worker begins from the journal: what is in the logs is not emitted again. @throws RlmError `store-failure` */
  async restart(): Promise<void> {
    const { runs } = this.#options.parent.engine;
    for (const { bus } of this.#runs.values()) bus.restartLog((await runs.reopenLog(bus.runId)).tail);
    this.#terminal = undefined;
  }

  /** The worker has reported the result. @throws RlmError `store-failure` */
  async complete(): Promise<void> {
    const bus = this.#runs.get(this.#options.child.runId)?.bus;
    if (this.#terminal !== undefined && bus?.completed === false) bus.emit(this.#terminal);
    await bus?.flush();
  }

  /** Emits the terminal event of each run that began and has none, those below first. */
  async end(reason: string): Promise<void> {
    const below = new Map<string, RunFigures>();
    for (const run of [...this.#runs.values()].reverse()) {
      const { bus, parentRunId } = run;
      const figures = addFigures(run.figures, below.get(bus.runId) ?? NO_FIGURES);
      below.set(parentRunId, addFigures(below.get(parentRunId) ?? NO_FIGURES, { ...figures, turns: 0 }));
      if (!bus.completed && bus.seq > 0) bus.emit(this.#aborted(run, figures, reason));
    }
    // A store that fails ends the run above, which reports it.
    await Promise.allSettled([...this.#runs.values()].map(async ({ bus }) => await bus.flush()));
  }

  #aborted(run: RelayedRun, { calls: _, ...figures }: RunFigures, reason: string): Body<'run.completed'> {
    if (run.bus.runId === this.#options.child.runId && this.#terminal !== undefined) return this.#terminal;
    return {
      type: 'run.completed',
      outcome: 'aborted',
      stop: 'cancelled',
      ...figures,
      elapsedMs: this.#options.parent.engine.clock.now() - run.openedAt,
      reason,
      rootModel: run.started?.rootModel ?? '',
      subCallModel: run.started?.subCallModel ?? '',
    };
  }
}
