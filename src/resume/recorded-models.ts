import { messageOf } from '../errors.ts';
import { type Model, ModelError, type ModelRef } from '../model/index.ts';
import { createModelPolicy, type ModelPolicy } from '../model/model-policy.ts';

/** The models of a run or a session, as a store keeps them. */
export interface RecordedModels {
  /** Ids. */
  readonly rootModel: string;
  readonly subModels: readonly string[];
  /** References of models whose id does not name them, by id. */
  readonly references?: Readonly<Record<string, string>>;
}

/** The part of a policy that is stored. */
export function recordModels(models: ModelPolicy, maxDepth: number): RecordedModels {
  const subs = Array.from({ length: Math.min(maxDepth, Math.max(1, models.depths)) }, (_, index) =>
    models.at(index + 1),
  );
  const named = [models.at(0), ...subs].flatMap(({ id, ref }) => (ref === undefined ? [] : [[id, ref] as const]));
  return {
    rootModel: models.at(0).id,
    subModels: subs.map(({ id }) => id),
    ...(named.length > 0 && { references: Object.fromEntries(named) }),
  };
}

/** The reference that opens a recorded model again. */
export function referenceOf(id: string, { references }: RecordedModels): string {
  return references?.[id] ?? id;
}

export interface ResolveRecorded {
  readonly resolveModel: (ref: ModelRef) => Promise<Model>;
  /** References that may be objects, which no string can name: one with the recorded id is preferred. */
  readonly own: readonly ModelRef[];
}

/** The reference of a recorded model: this Rlm's own model with that id, else the recorded reference. */
export async function recordedReference(
  id: string,
  recorded: RecordedModels,
  { own, resolveModel }: ResolveRecorded,
): Promise<ModelRef> {
  for (const ref of own) {
    const resolved = await resolveModel(ref).catch(() => undefined);
    if (resolved?.id === id) return ref;
  }
  return referenceOf(id, recorded);
}

/**
 * The models of a record for its replay, which makes no calls. A model that is not available any more is replaced by one
 * that fails, so that only a new call fails.
 */
export async function recordedPolicy(
  recorded: RecordedModels,
  { own, resolveModel, allowedModels }: RecordedPolicyOptions,
): Promise<ModelPolicy> {
  const { rootModel, subModels } = recorded;
  const depths = Math.max(1, subModels.length + 1);
  const known = Array.from({ length: depths }, (_, depth) => own.at(depth));
  const ids = new Set([rootModel, ...subModels]);
  const resolve = async (ref: ModelRef): Promise<Model> => {
    if (typeof ref !== 'string' || !ids.has(ref)) return await resolveModel(ref);
    const same = known.find(({ id }) => id === ref);
    if (same !== undefined) return same;
    const found = await resolveModel(referenceOf(ref, recorded)).catch((error: unknown) =>
      absentModel(ref, messageOf(error)),
    );
    return found.id === ref ? found : absentModel(ref, `The model ${ref} is not available any more.`);
  };
  return await createModelPolicy({
    model: rootModel,
    subModel: subModels.length === 0 ? undefined : subModels,
    fallbackToRootModel: false,
    allowedModels,
    resolve,
  });
}

export interface RecordedPolicyOptions {
  /** The models of this `Rlm`: used where they have the recorded id. */
  readonly own: ModelPolicy;
  readonly resolveModel: ResolveRecorded['resolveModel'];
  readonly allowedModels: readonly string[];
}

/** Replaces a model that is not available, where its answers are recorded. */
function absentModel(id: string, why: string): Model {
  const failing = { provider: 'none', price: undefined, contextTokens: undefined, maxOutputTokens: undefined };
  return { id, ...failing, attempt: () => Promise.reject(new ModelError({ fault: 'model', message: why })) };
}
