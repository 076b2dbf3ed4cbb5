import { messageOf, RlmError } from '../errors.ts';
import { type Model, ModelError, type ModelRef } from './index.ts';

/** Another model than the one asked for is used. */
export interface Fallback {
  readonly configured: string;
  readonly using: string;
  readonly reason: string;
}

/** Which model serves which depth, and which models cells may name. */
export interface ModelPolicy {
  /** From this depth on the same model serves. */
  readonly depths: number;
  /** The root model at depth 0, the sub-model of its depth below. */
  at(depth: number): Model;
  /**
   * The model for a name a cell gave: the named one where the caller allows it, else the policy's, with a fallback to
   * report the first time in a tree.
   *
   * @throws RlmError `model-not-found` for an unknown name
   */
  named(name: string, depth: number): Promise<{ readonly model: Model; readonly fallback?: Fallback }>;
  /** A model of that id that calls may have gone to, where this `Rlm` still has it. */
  withId(id: string): Promise<Model | undefined>;
  /** Sub-models that could not be resolved and that the caller let the root model stand in for. */
  readonly fallbacks: readonly Fallback[];
  /** The model itself, or the one that replaces it since {@link standIn}. */
  inUse(model: Model): Model;
  /**
   * The replacement of a sub-model that its provider does not know, where the caller allows one, with a fallback to
   * report the first time in a tree; `undefined` for every other failure.
   */
  standIn(model: Model, failure: unknown): { readonly model: Model; readonly fallback?: Fallback } | undefined;
}

/** The options of a policy. */
export interface PolicyOptions {
  readonly model: ModelRef;
  readonly subModel: ModelRef | readonly ModelRef[] | undefined;
  readonly allowedModels: readonly string[];
  readonly fallbackToRootModel: boolean;
  readonly resolve: (ref: ModelRef) => Promise<Model>;
}

/**
 * Resolves every model of the policy, so that a wrong one is an error before anything is spent.
 *
 * @throws RlmError `model-not-found`, `missing-key`
 */
export async function createModelPolicy(options: PolicyOptions): Promise<ModelPolicy> {
  const { resolve } = options;
  const root = await resolve(options.model);
  const fallbacks = new Map<string, Fallback>();
  const subs: Model[] = [];
  for (const ref of subRefs(options)) {
    try {
      subs.push(await resolve(ref));
    } catch (error) {
      if (!options.fallbackToRootModel) throw error;
      fallbacks.set(nameOf(ref), { configured: nameOf(ref), using: root.id, reason: messageOf(error) });
      subs.push(root);
    }
  }
  const at = (depth: number): Model => (depth === 0 ? root : (subs[Math.min(depth, subs.length) - 1] ?? root));
  const reported = new Set<string>();
  const unknown = new Set<Model>();
  return {
    at,
    depths: subs.length,
    fallbacks: [...fallbacks.values()],
    inUse: (model) => (unknown.has(model) ? root : model),
    standIn(model, failure) {
      if (!options.fallbackToRootModel || model === root || !subs.includes(model)) return undefined;
      if (!ModelError.isInstance(failure) || failure.fault !== 'model') return undefined;
      if (unknown.has(model)) return { model: root };
      unknown.add(model);
      return { model: root, fallback: { configured: model.id, using: root.id, reason: failure.message } };
    },
    async withId(id) {
      const own = [root, ...subs].find((model) => model.id === id);
      if (own !== undefined) return own;
      const allowed = await Promise.allSettled(options.allowedModels.map(resolve));
      return allowed.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])).find((model) => model.id === id);
    },
    async named(name, depth) {
      const { model, fallback } = await named({ name, own: at(depth), policy: [root, ...subs], options });
      const record = fallback === undefined ? '' : `${fallback.configured}\n${fallback.using}`;
      if (fallback === undefined || reported.has(record)) return { model };
      reported.add(record);
      return { model, fallback };
    },
  };
}

function subRefs(options: PolicyOptions): readonly ModelRef[] {
  if (options.subModel === undefined) return [];
  return isList(options.subModel) ? options.subModel : [options.subModel];
}

function isList(refs: ModelRef | readonly ModelRef[]): refs is readonly ModelRef[] {
  return Array.isArray(refs);
}

interface NamedLookup {
  readonly name: string;
  readonly own: Model;
  readonly policy: readonly Model[];
  readonly options: PolicyOptions;
}

async function named({ name, own, policy, options }: NamedLookup): Promise<{ model: Model; fallback?: Fallback }> {
  const known = [own, ...policy].find((model) => isNamed(model.id, name));
  const allowed = options.allowedModels.find((ref) => isNamed(ref, name));
  if (known !== undefined && (known === own || allowed !== undefined)) return { model: known };
  if (allowed !== undefined) return { model: await options.resolve(allowed) };
  if (known === undefined) await mustExist(name, options);
  return {
    model: own,
    fallback: {
      configured: name,
      using: own.id,
      reason: `the caller does not allow cells to name ${name} (allowedModels)`,
    },
  };
}

/** Models write names with and without the provider's. */
function isNamed(ref: string, name: string): boolean {
  return ref === name || ref.endsWith(`/${name}`);
}

/** A model that exists but is not allowed is a matter of policy; an unknown name is a mistake of the code. */
async function mustExist(name: string, options: PolicyOptions): Promise<void> {
  try {
    await options.resolve(name);
  } catch (error) {
    if (RlmError.isInstance(error) && error.code === 'model-not-found') throw error;
  }
}

function nameOf(ref: ModelRef): string {
  return typeof ref === 'string' ? ref : `${ref.provider}/${ref.modelId}`;
}
