import { RlmError } from '../../errors.ts';
import { resolveModel } from '../../model/index.ts';
import type { Console } from '../screen/console.ts';

/** US dollars that a run of the command may spend without `--max-cost`. */
export const DEFAULT_MAX_COST_USD = 5;

/** The cost limit of a run, and a notice for the user when a run has no limit. */
export interface CostLimit {
  readonly maxCostUsd: number | undefined;
  readonly notice?: string;
}

/** The given limit; else {@link DEFAULT_MAX_COST_USD} where the price of every model is known; else none, with a notice. */
export function costLimitFor(models: readonly string[], given: number | undefined): CostLimit {
  if (given !== undefined) return { maxCostUsd: given };
  const unpriced = models.filter((model) => !isPriced(model));
  if (unpriced.length === 0) return { maxCostUsd: DEFAULT_MAX_COST_USD };
  return {
    maxCostUsd: undefined,
    notice: `The price of ${unpriced.join(', ')} is not known: no limit on money, only on tokens (--max-tokens).`,
  };
}

function isPriced(model: string): boolean {
  try {
    return resolveModel(model).price !== undefined;
  } catch {
    // The run itself refuses an invalid reference, with advice.
    return true;
  }
}

/** The model named by `-m`, else by FATHOM_MODEL. */
export function namedModel(given: string | undefined, env: Console['env']): string | undefined {
  const model = given ?? env.FATHOM_MODEL?.trim();
  return model === '' ? undefined : model;
}

/** The same model. @throws RlmError `invalid-option` when neither names a model */
export function requiredModel(given: string | undefined, env: Console['env']): string {
  const model = namedModel(given, env);
  if (model === undefined) throw noModel();
  return model;
}

/** The error of a command that needs a model and has none. */
export function noModel(): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message:
      'No model is named: give -m provider/model, e.g. -m openai/gpt-5-mini or -m ollama/qwen3, or set FATHOM_MODEL. `fathom doctor` shows which keys are set.',
    userAction: true,
  });
}
