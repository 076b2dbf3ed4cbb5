import { invalidOption, isObject } from '../argument-checks.ts';
import { checkOptionNames, type OptionNames } from '../option-names.ts';
import type { Rlm } from '../rlm.ts';
import type { CompletionRequest } from '../run/run-handle.ts';
import type { Store } from '../store/index.ts';
import { SERVER_LIMITS, type ServerLimits, withDefaults } from './limits.ts';
import { type ListenOptions, listenConfig } from './listen-options.ts';

/**
 * The models, settings, limits and mode behind a name on the server. A run on a session takes the loop in any mode. Of the
 * settings, a client's temperature and effort replace those of the root model alone.
 */
export type ServedModel = Pick<CompletionRequest, 'model' | 'subModel' | 'modelSettings' | 'limits' | 'mode'>;

/** How a server is started. It alone decides which models and limits are used; a request only names one of `models`. */
export interface ServerOptions extends ListenOptions {
  /** Answers the requests. The caller closes it, after the server. */
  readonly rlm: Rlm;
  /** The store that `rlm` was made with. */
  readonly store: Store;
  /** The models that clients may name. Default: `fathom`, with the models and limits of `rlm`. */
  readonly models?: Readonly<Record<string, ServedModel>>;
  /** Bearer keys by name. A key sees its own runs and sessions; `owner` sees also those of the command. Default: none is asked for. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Folders that the `paths` of `/v1/runs` and of sessions may name. Default: none, and such paths are refused. */
  readonly folders?: readonly string[];
  /** Limits of the server itself. Default: {@link SERVER_LIMITS}. */
  readonly limits?: Partial<ServerLimits>;
  /** Errors that no client is shown in detail. Default: a warning of this process. */
  readonly onError?: (error: unknown) => void;
}

/** The options with their defaults. */
export type ServerConfig = Required<Omit<ServerOptions, 'limits'>> & { readonly limits: ServerLimits };

/** The name of the model without further configuration. */
const DEFAULT_MODEL_NAME = 'fathom';

const NAMES: OptionNames<ServerOptions> = {
  ...{ rlm: true, store: true, models: true, keys: true, host: true, port: true, allowedHosts: true },
  ...{ folders: true, allowedOrigins: true, limits: true, onError: true },
};

/** @throws RlmError `invalid-option`, `invalid-limit` for options that cannot be right */
export function serverConfig(options: ServerOptions): ServerConfig {
  if (!isObject(options) || !isObject(options.rlm) || !isObject(options.store)) {
    throw invalidOption('A server needs an Rlm and its store: startServer({ rlm, store })');
  }
  checkOptionNames('startServer', options, NAMES);
  const { rlm, store, models = { [DEFAULT_MODEL_NAME]: {} }, folders = [], onError = warn } = options;
  if (Object.keys(models).length === 0) throw invalidOption('The option models has to name at least one model');
  const limits = withDefaults(options.limits ?? {}, SERVER_LIMITS);
  return { rlm, store, models, folders, limits, onError, ...listenConfig(options) };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
