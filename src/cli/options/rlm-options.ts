import { defined } from '../../defined.ts';
import type { RlmOptions } from '../../rlm-options.ts';
import type { Console } from '../screen/console.ts';
import { forTerminal } from '../screen/terminal-text.ts';
import { type EngineOptions, givenCost, limitsOf, replOf } from './ask-options.ts';
import type { Config } from './config.ts';
import { costLimitFor, namedSubModels, serverFacts, settingsOf } from './models.ts';

/** The options of the command line, the environment and the config file as those of an `Rlm`, without its store. */
export function rlmOptionsOf(given: {
  readonly model: string;
  readonly options: EngineOptions;
  readonly config: Config;
  readonly env: Console['env'];
  readonly note: (line: string) => void;
}): RlmOptions {
  const { model, options, config, env, note } = given;
  const subModel = namedSubModels(options.subModel, env, config);
  const facts = serverFacts(model, options, config);
  const models = [...new Set([model, ...(subModel ?? [])])];
  const { maxCostUsd, notice } = costLimitFor(models, givenCost(options, config), facts.prices);
  if (notice !== undefined) note(forTerminal(notice));
  const modelSettings = settingsOf(options, config);
  const instructions = options.instructions ?? config.instructions;
  const { maxRepls, maxQueuedRuns } = options;
  return {
    model,
    ...(subModel !== undefined && { subModel }),
    ...replOf(options, config),
    ...facts,
    ...defined({ maxRepls, maxQueuedRuns }),
    ...(modelSettings !== undefined && { modelSettings }),
    ...(instructions !== undefined && { prompt: { instructions } }),
    limits: { ...limitsOf(options, config), ...(maxCostUsd !== undefined && { maxCostUsd }) },
  };
}
