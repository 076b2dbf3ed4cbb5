import { defined } from '../defined.ts';
import { incompletePackage, requireFrom } from '../package-files.ts';
import type { ModelPrice } from './port.ts';

/** The facts that the table has about a model. */
export interface ModelFacts {
  readonly price: ModelPrice | undefined;
  /** Tokens of input and output the model takes. */
  readonly contextTokens: number | undefined;
}

/** Our provider names where the table's differ. */
const TABLE_NAMES: Readonly<Record<string, string>> = { xai: 'x-ai' };
/** The price of models that run without a charge: local servers and scripted models. */
export const FREE: ModelPrice = { input: 0, output: 0 };
const NOTHING: ModelFacts = { price: undefined, contextTokens: undefined };

/**
 * Price and context size of a model, from the table bundled with `@pydantic/genai-prices` (no network), loaded on first
 * use. Where a price depends on the length of the prompt, the one for short prompts is taken: the engine's prompts are.
 *
 * @param modelId as {@link Model.id}: `provider/model`
 */
export function lookUpModel(modelId: string): ModelFacts {
  const slash = modelId.indexOf('/');
  if (slash < 1) return NOTHING;
  const provider = modelId.slice(0, slash);
  const found = loadTable().calcPrice({ input_tokens: 1, output_tokens: 1 }, modelId.slice(slash + 1), {
    providerId: TABLE_NAMES[provider] ?? provider,
  });
  // The table guesses from a model's name when it does not know the provider: that price would be another provider's.
  if (found === null || found.provider.id !== (TABLE_NAMES[provider] ?? provider)) return NOTHING;
  const { input_mtok, output_mtok, cache_read_mtok, cache_write_mtok } = found.model_price;
  const input = base(input_mtok);
  const output = base(output_mtok);
  const cached = base(cache_read_mtok);
  const cacheWrite = base(cache_write_mtok);
  const price: ModelPrice | undefined =
    input === undefined || output === undefined
      ? undefined
      : {
          input,
          output,
          ...defined({ cached, cacheWrite }),
        };
  return { price, contextTokens: found.model.context_window };
}

/** Names of the models that the table lists for a provider, without those that were withdrawn. */
export function tableModels(provider: string): readonly string[] {
  const id = TABLE_NAMES[provider] ?? provider;
  const listed = loadTable().findProvider({ providerId: id });
  // The table guesses when it does not know the provider.
  return (listed?.id === id ? listed.models : []).filter(({ deprecated }) => deprecated !== true).map(({ id }) => id);
}

/** The price of a model: the caller's own, else the table's, else unknown. Unknown is never zero. */
export function priceOf(
  modelId: string,
  overrides: Readonly<Record<string, ModelPrice>> | undefined = undefined,
): ModelPrice | undefined {
  return overrides?.[modelId] ?? lookUpModel(modelId).price;
}

type Table = typeof import('@pydantic/genai-prices');
let table: Table | undefined;

/** Half a megabyte of table: loaded when the first model of a known provider is named, and never by a test with a scripted one. */
function loadTable(): Table {
  try {
    table ??= requireFrom()('@pydantic/genai-prices') as Table;
  } catch (error) {
    throw incompletePackage('the package @pydantic/genai-prices', error);
  }
  return table;
}

function base(price: number | { readonly base: number } | undefined): number | undefined {
  return typeof price === 'object' ? price.base : price;
}
