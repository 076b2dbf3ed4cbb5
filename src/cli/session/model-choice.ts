import type { LanguageModelV4 } from '@ai-sdk/provider';
import { messageOf, type RlmError } from '../../errors.ts';
import { ModelError, resolveModel } from '../../model/index.ts';
import { type RecordedModels, referenceOf } from '../../resume/recorded-models.ts';
import type { RlmOptions } from '../../rlm-options.ts';
import { applyConfig } from '../options/config.ts';
import {
  costLimitFor,
  type ModelOptions,
  namedModel,
  namedSubModels,
  noModel,
  serverFacts,
} from '../options/models.ts';
import type { Console } from '../screen/console.ts';

/** Which models a session's command uses. */
export interface ModelChoice {
  readonly rlm: Pick<RlmOptions, 'model' | 'subModel' | 'prices' | 'headers' | 'limits'>;
  /** The references, where there are any. */
  readonly references: readonly string[];
  /** Why the session has no model; undefined when it has one. */
  readonly missing?: RlmError;
}

/** The recorded model of a session that names no model. */
const NO_MODEL = 'none';

/**
 * The models for a session: those `-m` names, else those it was created with, else FATHOM_MODEL. Cells need no
 * model: without one, or with one that cannot be used here, only a call fails.
 */
export function chooseModels(options: ModelOptions, env: Console['env'], recorded?: RecordedModels): ModelChoice {
  const config = applyConfig(env);
  const root = namedModel(options.model ?? recordedReference(recorded), env, config);
  if (root === undefined) {
    const missing = noModel();
    return without(new ModelError({ fault: 'model', message: missing.message }), missing);
  }
  const own = options.model === undefined ? recordedSubs(recorded) : undefined;
  const subs = options.subModel ?? own ?? (recorded === undefined ? namedSubModels(undefined, env, config) : undefined);
  const references = [...new Set([root, ...(subs ?? [])])];
  const missing = options.model === undefined ? firstProblem(references) : undefined;
  if (missing !== undefined) return without(missing);
  const facts = serverFacts(root, options, config);
  const { maxCostUsd } = costLimitFor(references, undefined, facts.prices);
  return {
    rlm: {
      model: root,
      ...(subs !== undefined && { subModel: subs }),
      ...facts,
      ...(maxCostUsd !== undefined && { limits: { maxCostUsd } }),
    },
    references,
  };
}

function recordedReference(recorded: RecordedModels | undefined): string | undefined {
  if (recorded === undefined || recorded.rootModel === NO_MODEL) return undefined;
  return referenceOf(recorded.rootModel, recorded);
}

function recordedSubs(recorded: RecordedModels | undefined): readonly string[] | undefined {
  if (recordedReference(recorded) === undefined || recorded === undefined) return undefined;
  if (recorded.subModels.length === 0) return undefined;
  return recorded.subModels.map((id) => referenceOf(id, recorded));
}

function firstProblem(references: readonly string[]): ModelError | undefined {
  for (const reference of references) {
    try {
      resolveModel(reference);
    } catch (error) {
      return ModelError.isInstance(error) ? error : new ModelError({ fault: 'model', message: messageOf(error) });
    }
  }
  return undefined;
}

/** A model that fails every call with this reason, and costs nothing. */
function without(failure: ModelError, missing: RlmError = failure): ModelChoice {
  const fail = (): never => {
    throw failure;
  };
  const model: LanguageModelV4 = {
    specificationVersion: 'v4',
    provider: NO_MODEL,
    modelId: NO_MODEL,
    supportedUrls: {},
    doGenerate: async () => fail(),
    doStream: async () => fail(),
  };
  return { rlm: { model, prices: { [NO_MODEL]: { input: 0, output: 0 } } }, references: [], missing };
}
