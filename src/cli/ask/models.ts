import { resolveModel } from '../../model/index.ts';

/** US dollars a run on the command line may spend when nobody says otherwise. */
export const DEFAULT_MAX_COST_USD = 5;

/** The limit on money of a run, and what to tell when there is none. */
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
    // What is wrong with the reference is the run's to say: it names what to do.
    return true;
  }
}
