import { defined } from '../../defined.ts';
import { messageOf } from '../../errors.ts';
import { createRlm } from '../../rlm.ts';
import type { RlmOptions } from '../../rlm-options.ts';
import { type FathomServer, type ServedModel, startServer } from '../../server/index.ts';
import { EXIT } from '../exit-codes.ts';
import { type EngineOptions, givenCost, modeOf } from '../options/ask-options.ts';
import { applyConfig, type Config } from '../options/config.ts';
import { costLimitFor, requiredModel } from '../options/models.ts';
import { rlmOptionsOf } from '../options/rlm-options.ts';
import { openToWrite, type StoreOptions } from '../options/store.ts';
import { connectWorkers, type WorkersOptions } from '../options/workers.ts';
import type { Console } from '../screen/console.ts';
import { forTerminal, onOneLine } from '../screen/terminal-text.ts';
import { type SignalSource, untilSignal } from '../watch/interrupts.ts';
import { serverKeys } from './keys.ts';

/** The options of `fathom serve`. */
export interface ServeOptions extends EngineOptions, StoreOptions, WorkersOptions {
  readonly host: string;
  readonly port: number;
  readonly keys?: string;
  readonly alias?: readonly (readonly [name: string, ref: string])[];
  readonly root?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly maxRunsPerKey?: number;
}

/** Where the options of the `Rlm` come from, besides the command line. */
interface Given {
  readonly env: Console['env'];
  readonly config: Config;
  readonly note: (line: string) => void;
}

/** Where the command runs. */
export interface ServeSurroundings {
  readonly console: Console;
  readonly signals: SignalSource;
}

/** Characters of one line about an error. */
const ERROR_CHARS = 2_000;

/** Serves until SIGINT or SIGTERM: then its runs are paused, and the next start resumes them. Resolves with the exit code. */
export async function serve(options: ServeOptions, { console, signals }: ServeSurroundings): Promise<number> {
  const { env, stdout, stderr } = console;
  const note = (line: string): void => void stderr.write(`${line}\n`);
  const stopping = untilSignal(signals);
  const keys = serverKeys(options.keys, env);
  const given = { env, config: applyConfig(env), note };
  const made = madeWith(options, given);
  await using kept = openToWrite(options.store);
  await using cluster = await connectWorkers(options);
  await using rlm = createRlm({ ...made, ...defined({ cluster }), store: kept.store });
  await using server = await startServer({
    ...{ rlm, store: kept.store, keys, host: options.host, port: options.port, models: served(options, given, made) },
    ...(options.root !== undefined && { folders: options.root }),
    ...(options.allowHost !== undefined && { allowedHosts: options.allowHost }),
    ...(options.allowOrigin !== undefined && { allowedOrigins: options.allowOrigin }),
    ...(options.maxRunsPerKey !== undefined && { limits: { maxRunsPerKey: options.maxRunsPerKey } }),
    onError: (error) => note(onOneLine(`fathom serve: ${messageOf(error)}`, ERROR_CHARS)),
  });
  stdout.write(`${forTerminal(listening(server, keys))}\n`);
  await stopping;
  note('Stopping: runs of clients are cancelled, background runs are paused and continue at the next start.');
  await server.close();
  return EXIT.answered;
}

function madeWith(options: ServeOptions, { env, config, note }: Given): RlmOptions {
  const model = requiredModel(options.model, env, config);
  return rlmOptionsOf({ model, options, config, env, note });
}

/** `fathom` is the model of `-m`. An alias has another root model and the same limits; its limit on money depends on its price. */
function served(
  options: ServeOptions,
  { config, note }: Given,
  rlm: RlmOptions,
): Readonly<Record<string, ServedModel>> {
  const subModels = Array.isArray(rlm.subModel) ? (rlm.subModel as readonly string[]) : [];
  const aliases = (options.alias ?? []).map(([name, model]) => {
    const { maxCostUsd, notice } = costLimitFor([model, ...subModels], givenCost(options, config), rlm.prices);
    if (notice !== undefined) note(forTerminal(notice));
    return [name, { model, limits: { maxCostUsd: maxCostUsd ?? Number.POSITIVE_INFINITY } }] as const;
  });
  const { modelSettings } = rlm;
  const common = { ...defined({ modelSettings }), ...modeOf(options, config) };
  return Object.fromEntries([['fathom', {}] as const, ...aliases].map(([name, own]) => [name, { ...common, ...own }]));
}

function listening({ url }: FathomServer, keys: Readonly<Record<string, string>>): string {
  const names = Object.keys(keys);
  const access = names.length === 0 ? 'no key is needed' : `keys: ${names.join(', ')}`;
  return `Listening on ${url}/v1 (${access}). Runs in the browser: ${url}/`;
}
