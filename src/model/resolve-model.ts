import type { Clock } from '../clock.ts';
import { createModel } from './model.ts';
import { ModelError } from './model-error.ts';
import type { LanguageModel, Model, ModelPrice, ModelRef } from './port.ts';

/** Options of {@link resolveModel}. */
export interface ResolveOptions {
  /** Environment variables. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** USD per million tokens per model id; overrides the table. */
  readonly prices?: Readonly<Record<string, ModelPrice>>;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** Turns what callers name a model by into a {@link Model}. Nothing is sent and no provider is loaded yet. */
export function resolveModel(ref: ModelRef, options: ResolveOptions = {}): Model {
  if (typeof ref !== 'string') return fromLanguageModel(ref, options);
  throw new ModelError({ fault: 'model', message: `There is no model '${ref}'.` });
}

function fromLanguageModel(model: LanguageModel, options: ResolveOptions): Model {
  // Providers of the AI SDK name their API as well: 'openai.responses'.
  const provider = model.provider.split('.')[0] ?? model.provider;
  const id = provider === model.modelId ? model.modelId : `${provider}/${model.modelId}`;
  return createModel({
    id,
    provider,
    price: options.prices?.[id] ?? options.prices?.[model.modelId],
    contextTokens: undefined,
    clock: options.clock,
    open: () => model,
  });
}
