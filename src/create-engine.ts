import { ulid } from 'ulid';
import { ReplPlaces } from './admission/repl-places.ts';
import { type Clock, steadyClock, systemClock } from './clock.ts';
import { replLimits } from './engine/repl-limits.ts';
import type { Engine, EngineDefaults } from './engine/run.ts';
import { createEventBus } from './event/bus.ts';
import { publishing } from './event/diagnostics.ts';
import { DEFAULT_MAX_QUEUED_RUNS, defaultMaxRepls, resolveLimits } from './limits.ts';
import { createRateControl, type Model, type ModelRef, resolveModel } from './model/index.ts';
import type { ReplBackend } from './repl/port.ts';
import { isBackend, type ReplChoice, selectBackend } from './repl/select.ts';
import { runStore } from './resume/run-store.ts';
import type { RlmOptions } from './rlm-options.ts';
import { runChild } from './run/execute-run.ts';
import { memoryStore, type Store } from './store/index.ts';
import { createToolbox } from './tools/toolbox.ts';

/** The engines of one `Rlm`, one for each choice of REPL, and the parts that they share. */
export interface Engines {
  /** Default: the REPL of the options. */
  readonly engineFor: (repl?: ReplChoice) => Engine;
  readonly backends: Backends;
  readonly store: Store;
  /** The wall clock. */
  readonly clock: Clock;
  readonly places: ReplPlaces;
  readonly defaults: EngineDefaults;
  readonly resolveModel: (ref: ModelRef) => Promise<Model>;
}

/** @throws RlmError for limits and tools that cannot be right */
export function createEngines(options: RlmOptions): Engines {
  const wall = options.clock ?? systemClock;
  const clock = steadyClock(wall);
  const store = options.store ?? memoryStore();
  const defaults = defaultsOf(options);
  const backends = new Backends();
  const { maxRepls = defaultMaxRepls(), maxQueuedRuns = DEFAULT_MAX_QUEUED_RUNS, cluster } = options;
  const places = new ReplPlaces({ maxRepls, maxQueuedRuns }, clock);
  const onEvent = publishing(options.onEvent);
  const rates = cluster?.rates ?? createRateControl({ clock });
  const resolve = modelResolver(options);
  const engineFor = (repl: ReplChoice = options.repl ?? 'auto'): Engine => ({
    clock,
    rates,
    resolveModel: resolve,
    openEvents: ({ runId, traceId, parent, tail, onlyTo }) =>
      createEventBus({
        runId,
        traceId,
        clock: wall,
        ...(parent !== undefined && { parent: parent.events, parentRunId: parent.id }),
        ...(tail !== undefined && { tail }),
        ...(onlyTo === undefined ? { store, onEvent } : { onEvent: onlyTo }),
      }),
    runs: runStore(store, { clock, wall }),
    runChild: cluster?.runChild ?? runChild,
    childrenElsewhere: cluster !== undefined,
    newId: () => ulid(),
    defaults,
    places,
    backendName: async () => (await backends.get(repl)).name,
    openRepl: async ({ host, limits, signal, onPreparing }) => {
      const backend = await backends.get(repl);
      const { isolation: least } = defaults;
      const { hasRoom: mayKeepSpare } = places;
      return await backend.open({ host, limits: replLimits(limits), least, signal, mayKeepSpare, onPreparing });
    },
  });
  return { engineFor, backends, store, clock: wall, places, defaults, resolveModel: resolve };
}

/** The backends an `Rlm` has opened by name. */
export class Backends {
  readonly #open = new Map<ReplChoice, Promise<ReplBackend>>();

  get(choice: ReplChoice): Promise<ReplBackend> {
    if (isBackend(choice)) return Promise.resolve(choice);
    let backend = this.#open.get(choice);
    if (backend === undefined) {
      backend = selectBackend(choice);
      this.#open.set(choice, backend);
    }
    return backend;
  }

  async close(): Promise<void> {
    const open = await Promise.allSettled(this.#open.values());
    this.#open.clear();
    await Promise.all(open.map((backend) => (backend.status === 'fulfilled' ? backend.value.close() : undefined)));
  }
}

/** Resolves each reference once, so that calls of one model share its estimates and its rate control. */
function modelResolver({ prices, clock, headers }: RlmOptions): (ref: ModelRef) => Promise<Model> {
  const models = new Map<ModelRef, Model>();
  return async (ref) => {
    let model = models.get(ref);
    if (model === undefined) {
      const known = { ...(prices !== undefined && { prices }), ...(clock !== undefined && { clock }) };
      model = resolveModel(ref, known);
      const own = headersFor(ref, model, headers);
      if (own !== undefined) model = resolveModel(ref, { ...known, headers: own });
      models.set(ref, model);
    }
    return model;
  };
}

/** The headers for a model: those of its server's origin, of its id and of its reference, the later over the earlier. */
function headersFor(
  ref: ModelRef,
  { id, endpoint }: Model,
  headers: RlmOptions['headers'] = {},
): Readonly<Record<string, string>> | undefined {
  const origin = endpoint === undefined ? undefined : URL.parse(endpoint)?.origin;
  const keys = [origin, id, typeof ref === 'string' ? ref : undefined].filter((key) => key !== undefined);
  const own = Object.assign({}, ...keys.map((key) => (Object.hasOwn(headers, key) ? headers[key] : {})));
  return Object.keys(own).length === 0 ? undefined : own;
}

function defaultsOf(options: RlmOptions): EngineDefaults {
  // Finds invalid tools now, not in the first completion.
  createToolbox(options.tools);
  createToolbox(options.subTools);
  return {
    model: options.model,
    subModel: options.subModel,
    limits: resolveLimits(options.limits),
    tools: options.tools ?? {},
    subTools: options.subTools,
    prompt: options.prompt ?? {},
    isolation: options.isolation ?? 'process',
    requireInspection: options.requireInspection ?? true,
    policy: options.policy,
    modelSettings: options.modelSettings ?? {},
    allowedModels: options.allowedModels ?? [],
    fallbackToRootModel: options.fallbackToRootModel ?? false,
  };
}
