import type { Engine } from '../engine/engine.ts';
import type { Model } from '../model/index.ts';
import { createModelPolicy, type ModelPolicy } from '../model/model-policy.ts';
import { type RecordedModels, recordedResolver, recordModels, silent } from '../resume/recorded-models.ts';

/**
 * The models of a session's own cells: those of this `Rlm`, and for the time of a replay those the cells had when they
 * ran, because what they were answered is recorded under the model they asked.
 */
export class SessionModels implements ModelPolicy {
  readonly #own: ModelPolicy;
  #now: ModelPolicy;
  #answersOnly = false;

  constructor(own: ModelPolicy) {
    this.#own = own;
    this.#now = own;
  }

  get fallbacks(): ModelPolicy['fallbacks'] {
    return this.#now.fallbacks;
  }

  get depths(): ModelPolicy['depths'] {
    return this.#now.depths;
  }

  withId(id: string): ReturnType<ModelPolicy['withId']> {
    return this.#now.withId(id);
  }

  at(depth: number): ReturnType<ModelPolicy['at']> {
    return this.#now.at(depth);
  }

  named(name: string, depth: number): ReturnType<ModelPolicy['named']> {
    return this.#now.named(name, depth);
  }

  inUse(model: Model): Model {
    return this.#now.inUse(model);
  }

  standIn(model: Model, failure: unknown): ReturnType<ModelPolicy['standIn']> {
    return this.#now.standIn(model, failure);
  }

  /** What to keep of them beside a cell. */
  record(maxDepth: number): RecordedModels {
    return recordModels(this.#own, maxDepth);
  }

  /** Nothing is asked now but what is recorded. */
  get answersOnly(): boolean {
    return this.#answersOnly;
  }

  /** Works under recorded models; of what has ended before, only recorded answers are given. */
  async during<T>(
    {
      recorded,
      ended,
      engine,
    }: { readonly recorded: RecordedModels; readonly ended: boolean; readonly engine: Engine },
    work: () => Promise<T>,
  ): Promise<T> {
    const resolve = recordedResolver(recorded, { own: this.#own, resolveModel: engine.resolveModel });
    this.#answersOnly = ended;
    this.#now = await createModelPolicy({
      model: recorded.rootModel,
      subModel: recorded.subModels.length === 0 ? undefined : recorded.subModels,
      allowedModels: engine.defaults.allowedModels,
      fallbackToRootModel: false,
      resolve: async (ref) => (ended ? silent(await resolve(ref)) : await resolve(ref)),
    });
    try {
      return await work();
    } finally {
      this.#now = this.#own;
      this.#answersOnly = false;
    }
  }
}
