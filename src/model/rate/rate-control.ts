import type { Clock } from '../../clock.ts';
import type { CallGate, GatedModel } from './call-gate.ts';
import { createHostCircuits } from './circuit-breaker.ts';
import { type CallLane, createGate, type ModelGate } from './gate.ts';

/** The rate control of one `Rlm`: what all its calls share. */
export interface RateControl {
  /** Opens the cap that all completions of one tree share. */
  openTree(options: { readonly maxConcurrentCalls: number }): CallTree;
}

/** One completion tree as rate control sees it. */
export interface CallTree {
  /** The lane of one completion; lanes of one tree take turns, and so do trees. */
  lane(): CallGate;
  /** Calls in flight now. */
  readonly inFlight: number;
}

/** Settings of {@link createRateControl}. */
export interface RateControlOptions {
  readonly clock: Clock;
  /** In [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Milliseconds of the first cool-down after a refusal without Retry-After; doubles each time, up to 60 s. Default 500. */
  readonly coolDownMs?: number;
  /** Sends per millisecond of the first ones to a model: fewer where a refusal is heard late. Default 2. */
  readonly sendsPerMs?: number;
}

/**
 * Shared by all completions of an `Rlm`: one gate per model with one cool-down, one concurrency and one pace.
 *
 * @example
 * ```ts
 * const control = createRateControl({ clock: systemClock });
 * const tree = control.openTree({ maxConcurrentCalls: 32 });
 * await callModel({ gate: tree.lane(), ... });
 * ```
 */
export function createRateControl(options: RateControlOptions): RateControl {
  const { clock, random = Math.random, coolDownMs = 500, sendsPerMs } = options;
  const gates = new Map<string, ModelGate>();
  const gateOfModel = new WeakMap<GatedModel, ModelGate>();
  const hostCircuits = createHostCircuits({ clock, random });
  let trees = 0;

  const gateOf = (model: GatedModel): ModelGate => {
    const known = gateOfModel.get(model);
    if (known !== undefined) return known;
    const key = `${model.provider} ${model.id} ${model.endpoint ?? ''}`;
    let gate = gates.get(key);
    if (gate === undefined) {
      gate = createGate({
        modelId: model.id,
        remote: model.remote ?? false,
        clock,
        random,
        coolDownMs,
        ...(sendsPerMs !== undefined && { sendsPerMs }),
        hostCircuits,
        newestTree: () => trees,
      });
      gates.set(key, gate);
    }
    gateOfModel.set(model, gate);
    return gate;
  };

  return {
    openTree({ maxConcurrentCalls }) {
      const tree = {
        order: ++trees,
        cap: maxConcurrentCalls,
        inFlight: 0,
        blocked: new Set<ModelGate>(),
        reached: new Set<ModelGate>(),
      };
      return {
        lane() {
          const lane: CallLane = { tree };
          return {
            enter: (model, pass) => gateOf(model).enter(lane, pass),
            reached: (model) => tree.reached.has(gateOf(model)),
          };
        },
        get inFlight() {
          return tree.inFlight;
        },
      };
    },
  };
}
