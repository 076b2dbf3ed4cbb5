import { messageOf } from '../../errors.ts';
import { createRlm } from '../../rlm.ts';
import type { RlmOptions } from '../../rlm-options.ts';
import { type FathomServer, type ServedModel, startServer } from '../../server/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { EngineOptions } from '../options/ask-options.ts';
import { readConfig } from '../options/config.ts';
import { requiredModel } from '../options/models.ts';
import { rlmOptionsOf } from '../options/rlm-options.ts';
import { openToWrite, type StoreOptions } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { forTerminal, onOneLine } from '../screen/terminal-text.ts';
import type { SignalSource } from '../watch/interrupts.ts';
import { serverKeys } from './keys.ts';

/** The options of `fathom serve`. */
export interface ServeOptions extends EngineOptions, StoreOptions {
  readonly host: string;
  readonly port: number;
  readonly keys?: string;
  readonly alias?: readonly (readonly [name: string, ref: string])[];
  readonly root?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly maxRepls?: number;
  readonly maxQueuedRuns?: number;
  readonly maxRunsPerKey?: number;
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
  await using kept = openToWrite(options.store);
  await using rlm = createRlm({ ...madeWith(options, env, note), store: kept.store });
  await using server = await startServer({
    ...{ rlm, store: kept.store, keys, host: options.host, port: options.port, models: served(options) },
    ...(options.root !== undefined && { folders: options.root }),
    ...(options.allowHost !== undefined && { allowedHosts: options.allowHost }),
    ...(options.allowOrigin !== undefined && { allowedOrigins: options.allowOrigin }),
    ...(options.maxRunsPerKey !== undefined && { limits: { maxRunsPerKey: options.maxRunsPerKey } }),
    onError: (error) => note(onOneLine(`fathom serve: ${messageOf(error)}`, ERROR_CHARS)),
  });
  stdout.write(`${forTerminal(listening(server, keys))}\n`);
  await stopping;
  note('Stopping: runs of clients are cancelled, background runs are paused and go on at the next start.');
  await server.close();
  return EXIT.answered;
}

function madeWith(options: ServeOptions, env: Console['env'], note: (line: string) => void): RlmOptions {
  const config = readConfig(env);
  const model = requiredModel(options.model, env, config);
  const { maxRepls, maxQueuedRuns } = options;
  return {
    ...rlmOptionsOf({ model, options, config, env, note }),
    ...(maxRepls !== undefined && { maxRepls }),
    ...(maxQueuedRuns !== undefined && { maxQueuedRuns }),
  };
}

/** `fathom` is the model of `-m`; an alias has another root model, and the same limits. */
function served({ alias = [] }: ServeOptions): Readonly<Record<string, ServedModel>> {
  return Object.fromEntries([['fathom', {}], ...alias.map(([name, model]) => [name, { model }] as const)]);
}

function listening({ url }: FathomServer, keys: Readonly<Record<string, string>>): string {
  const names = Object.keys(keys);
  const access = names.length === 0 ? 'no key is needed' : `keys: ${names.join(', ')}`;
  return `Listening on ${url}/v1 (${access}).`;
}

/** Resolves at the first signal; a second one ends the process as it would any other. */
function untilSignal(signals: SignalSource): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) signals.off(name, stop);
      resolve();
    };
    for (const name of ['SIGINT', 'SIGTERM'] as const) signals.on(name, stop);
  });
}
