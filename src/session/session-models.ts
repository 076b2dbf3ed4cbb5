import type { Engine } from '../completion/engine.ts';
import { type RecordedModels, recordedResolver, recordModels } from '../resume/recorded-models.ts';
import { createModelPolicy, type ModelPolicy } from '../subcall/model-policy.ts';

/**
 * The models of a session's own cells: those of this `Rlm`, and for the time of a replay those the cells had when they
 * ran, because what they were answered is recorded under the model they asked.
 */
export class SessionModels implements ModelPolicy {
  readonly #own: ModelPolicy;
  #now: ModelPolicy;

  constructor(own: ModelPolicy) {
    this.#own = own;
    this.#now = own;
  }

  get fallbacks(): ModelPolicy['fallbacks'] {
    return this.#now.fallbacks;
  }

  at(depth: number): ReturnType<ModelPolicy['at']> {
    return this.#now.at(depth);
  }

  named(name: string, depth: number): ReturnType<ModelPolicy['named']> {
    return this.#now.named(name, depth);
  }

  /** What to keep of them beside a cell. */
  record(maxDepth: number): RecordedModels {
    return recordModels(this.#own, maxDepth);
  }

  /** Works under recorded models. */
  async during<T>(recorded: RecordedModels | undefined, engine: Engine, work: () => Promise<T>): Promise<T> {
    if (recorded === undefined) return await work();
    this.#now = await createModelPolicy({
      model: recorded.rootModel,
      subModel: recorded.subModels.length === 0 ? undefined : recorded.subModels,
      allowedModels: engine.defaults.allowedModels,
      fallbackToRootModel: false,
      resolve: recordedResolver(recorded, { own: this.#own, resolveModel: engine.resolveModel }),
    });
    try {
      return await work();
    } finally {
      this.#now = this.#own;
    }
  }
}
