import { type Command, Option } from 'commander';
import { RlmError } from '../../errors.ts';
import { type ModelPrice, resolveModel } from '../../model/index.ts';
import { type ModelSettings, REASONING_EFFORTS, type ReasoningEffort } from '../../model/model-settings.ts';
import type { RlmOptions } from '../../rlm-options.ts';
import type { Console } from '../screen/console.ts';
import type { Config } from './config.ts';
import { amount, each, type ForModel, header, price } from './values.ts';

/** US dollars that a run of the command may spend without `--max-cost`. */
export const DEFAULT_MAX_COST_USD = 5;

/** Options that name models, and what is known of them. */
export interface ModelOptions extends ServerOptions {
  readonly model?: string;
  readonly subModel?: readonly string[];
}

/** Facts of models and their servers that no record has: a resumed run needs them again. */
export interface ServerOptions {
  readonly price?: readonly ForModel<ModelPrice>[];
  readonly header?: readonly ForModel<Readonly<Record<string, string>>>[];
}

/** Options of how models answer. */
export interface SettingOptions {
  readonly temperature?: number;
  readonly reasoningEffort?: ReasoningEffort;
  readonly subTemperature?: number;
  readonly subReasoningEffort?: ReasoningEffort;
}

/** Declares {@link ModelOptions}. */
export function addModelOptions(command: Command): Command {
  return addServerOptions(
    command
      .option('-m, --model <ref>', 'provider/model, or base-url#model (default: FATHOM_MODEL, or the config file)')
      .option('--sub-model <ref...>', 'model of sub-calls, per depth from 1 (default: the model)'),
  );
}

/** Declares {@link ServerOptions}. */
export function addServerOptions(command: Command): Command {
  return command
    .option('--price <[model=]in,out>', 'US dollars per million tokens: [MODEL=]IN,OUT[,CACHED[,WRITE]]', each(price))
    .option(
      '--header <[model=]header>',
      "'Name: value' for the root model's server, or for MODEL; not recorded",
      each(header),
    );
}

/** Declares {@link SettingOptions}. */
export function addSettingOptions(command: Command): Command {
  const effort = (flags: string, of: string): Option =>
    new Option(flags, `how much ${of} reasons`).choices(REASONING_EFFORTS);
  return command
    .option('--temperature <t>', 'temperature of all models', amount)
    .addOption(effort('--reasoning-effort <effort>', 'each model'))
    .option('--sub-temperature <t>', 'temperature of sub-calls', amount)
    .addOption(effort('--sub-reasoning-effort <effort>', 'the model of sub-calls'));
}

/** The settings that options and the config file give; undefined when they give none. */
export function settingsOf(options: SettingOptions, config: Config): ModelSettings | undefined {
  const { temperature, reasoningEffort, subTemperature, subReasoningEffort } = { ...config, ...options };
  const sub = {
    ...(subTemperature !== undefined && { temperature: subTemperature }),
    ...(subReasoningEffort !== undefined && { reasoningEffort: subReasoningEffort }),
  };
  const settings = {
    ...(temperature !== undefined && { temperature }),
    ...(reasoningEffort !== undefined && { reasoningEffort }),
    ...(Object.keys(sub).length > 0 && { sub }),
  };
  return Object.keys(settings).length === 0 ? undefined : settings;
}

/** Prices and headers for the library. Those without a model are the root model's; its headers go to its server alone. */
export function serverFacts(
  root: string,
  options: ServerOptions,
  config: Config,
): Pick<RlmOptions, 'prices' | 'headers'> {
  const prices = { ...config.prices };
  for (const { model = root, value } of options.price ?? []) prices[idOf(model)] = value;
  const headers: Record<string, Readonly<Record<string, string>>> = {};
  for (const { model, value } of options.header ?? []) {
    const key = model ?? originOf(root);
    headers[key] = { ...headers[key], ...value };
  }
  return {
    ...(Object.keys(prices).length > 0 && { prices }),
    ...(Object.keys(headers).length > 0 && { headers }),
  };
}

/** An invalid reference stays as it is: the run itself refuses it, with advice. */
function idOf(reference: string): string {
  try {
    return resolveModel(reference).id;
  } catch {
    return reference;
  }
}

function originOf(reference: string): string {
  try {
    const { endpoint, id } = resolveModel(reference);
    return (endpoint === undefined ? undefined : URL.parse(endpoint)?.origin) ?? id;
  } catch {
    return reference;
  }
}

/** The cost limit of a run, and a notice for the user when a run has no limit. */
export interface CostLimit {
  readonly maxCostUsd: number | undefined;
  readonly notice?: string;
}

/** The given limit; else {@link DEFAULT_MAX_COST_USD} where the price of every model is known; else none, with a notice. */
export function costLimitFor(
  models: readonly string[],
  given: number | undefined,
  prices?: RlmOptions['prices'],
): CostLimit {
  if (given !== undefined) return { maxCostUsd: given };
  const unpriced = models.filter((model) => !isPriced(model, prices));
  if (unpriced.length === 0) return { maxCostUsd: DEFAULT_MAX_COST_USD };
  return {
    maxCostUsd: undefined,
    notice: `The price of ${unpriced.join(', ')} is not known (--price): no limit on money, only on tokens (--max-tokens).`,
  };
}

function isPriced(model: string, prices: RlmOptions['prices']): boolean {
  try {
    return resolveModel(model, prices === undefined ? {} : { prices }).price !== undefined;
  } catch {
    // The run itself refuses an invalid reference, with advice.
    return true;
  }
}

/** The model named by `-m`, else by FATHOM_MODEL, else by the config file. */
export function namedModel(given: string | undefined, env: Console['env'], config: Config): string | undefined {
  return [given?.trim(), env.FATHOM_MODEL?.trim(), config.model].find((model) => model !== undefined && model !== '');
}

/** The same model. @throws RlmError `invalid-option` when none of them names one */
export function requiredModel(given: string | undefined, env: Console['env'], config: Config): string {
  const model = namedModel(given, env, config);
  if (model === undefined) throw noModel();
  return model;
}

/** The models of sub-calls: `--sub-model`, else FATHOM_SUB_MODEL (separated by blanks), else the config file. */
export function namedSubModels(
  given: readonly string[] | undefined,
  env: Console['env'],
  config: Config,
): readonly string[] | undefined {
  const variable = env.FATHOM_SUB_MODEL?.trim()
    .split(/\s+/)
    .filter((model) => model !== '');
  return [given, variable, config.subModel].find((models) => models !== undefined && models.length > 0);
}

/** The error of a command that needs a model and has none. */
export function noModel(): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message:
      'No model is named: give -m provider/model, e.g. -m openai/gpt-5-mini or -m ollama/qwen3, or set FATHOM_MODEL. `fathom doctor` shows which keys are set, `fathom models` lists models.',
    userAction: true,
  });
}
