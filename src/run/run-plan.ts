import type { RunMode } from '../engine/run.ts';
import type { ContextFacts, Route } from '../event/event.ts';
import type { Model, ModelPrice } from '../model/index.ts';

/** A model of a planned run. */
export interface PlannedModel {
  readonly id: string;
  /** Tokens of input and output it takes; null when unknown. */
  readonly window: number | null;
  /** US dollars per million tokens; null when unknown. */
  readonly price: ModelPrice | null;
}

/** Figures of a run. One that is not known is null, and `reasons` says why. */
export interface RunEstimate {
  /** Model calls; one that is sent again after a failure counts once. */
  readonly calls: number | null;
  /** Input and output together. */
  readonly tokens: number | null;
  readonly costUsd: number | null;
  readonly reasons: readonly string[];
}

/** The medians of the store's like runs. */
export interface TypicalRun extends RunEstimate {
  /** How many they are. */
  readonly runs: number;
}

/** The plan of a completion: made before anything is sent. */
export interface RunPlan {
  readonly mode: RunMode;
  /** `tokens`: of the direct call; null where none was considered. `window`: of the root model. */
  readonly route: Route;
  readonly models: {
    readonly root: PlannedModel;
    /** By depth, from 1 to `maxDepth`; the last one repeats. Empty without sub-calls. */
    readonly sub: readonly PlannedModel[];
    /** Others that code may name. */
    readonly allowed: readonly PlannedModel[];
  };
  readonly contexts: readonly ContextFacts[];
  /** Bytes of files and characters of texts; null where a projection is among them. */
  readonly contextBytes: number | null;
  readonly typical: TypicalRun;
  /** The most that the limits allow. A direct call may leave the run to the loop, so both routes have the same limits. */
  readonly worst: RunEstimate;
  /** The most that one attempt of the direct call may use; null on the route `loop`. */
  readonly direct: RunEstimate | null;
}

/** The models that a run may call. */
export interface PlanModels {
  readonly root: Model;
  readonly sub: readonly Model[];
  readonly allowed: readonly Model[];
}
