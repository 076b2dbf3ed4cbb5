import { invalidOption, isObject, kindOf } from '../argument-checks.ts';
import { RlmError } from '../errors.ts';
import { checkOptionNames, type OptionNames } from '../option-names.ts';
import type { Rlm } from '../rlm.ts';
import type { CompletionRequest } from '../run/run-handle.ts';
import type { Store } from '../store/index.ts';
import { isLoopback } from './access.ts';
import { SERVER_LIMITS, type ServerLimits } from './limits.ts';

/** The model, sub-model and limits behind a name on the server. */
export type ServedModel = Pick<CompletionRequest, 'model' | 'subModel' | 'limits'>;

/** How a server is started. It alone decides which models and limits are used; a request only names one of `models`. */
export interface ServerOptions {
  /** Answers the requests. The caller closes it, after the server. */
  readonly rlm: Rlm;
  /** The store that `rlm` was made with. */
  readonly store: Store;
  /** The models that clients may name. Default: `fathom`, with the models and limits of `rlm`. */
  readonly models?: Readonly<Record<string, ServedModel>>;
  /** Bearer keys by name. A key sees its own runs and sessions; `owner` sees also those of the command. Default: none is asked for. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Address to listen on. Default `127.0.0.1`. Another than loopback needs `keys`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Folders that the `paths` of `/v1/runs` and of sessions may name. Default: none, and such paths are refused. */
  readonly folders?: readonly string[];
  /** Further names in the Host header. Default: the address itself, this machine's name, and loopback. */
  readonly allowedHosts?: readonly string[];
  /** Origins of web pages that may use it. Default: none but its own. */
  readonly allowedOrigins?: readonly string[];
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
  const { rlm, store, host = '127.0.0.1', port = 0, keys = {} } = options;
  const { models = { [DEFAULT_MODEL_NAME]: {} }, allowedHosts = [], allowedOrigins = [] } = options;
  const { folders = [] } = options;
  const { onError = warn } = options;
  if (Object.keys(models).length === 0) throw invalidOption('The option models has to name at least one model');
  checkKeys(keys, host);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw invalidOption(`The option port has to be a whole number from 0 to 65535; this is ${kindOf(port)}`);
  }
  const limits = checkedLimits(options.limits ?? {});
  return { rlm, store, host, port, keys, models, folders, allowedHosts, allowedOrigins, limits, onError };
}

function checkKeys(keys: Readonly<Record<string, string>>, host: string): void {
  for (const [name, key] of Object.entries(keys)) {
    if (!/^[\w.-]{1,64}$/.test(name)) {
      throw invalidOption(
        `The name of a key has to be 1 to 64 letters, digits, "_", "." or "-"; this is ${kindOf(name)}`,
      );
    }
    // The message must not show the key.
    if (typeof key !== 'string' || !/^\S{8,512}$/.test(key)) {
      throw invalidOption(`The key ${name} has to be a text of 8 to 512 characters without blanks`);
    }
  }
  if (Object.keys(keys).length === 0 && !isLoopback(host)) {
    throw invalidOption(
      `The address ${host} can be reached from other machines, so the server needs a key: set FATHOM_SERVER_KEY or give --keys FILE, or listen on 127.0.0.1`,
    );
  }
}

function checkedLimits(given: Partial<ServerLimits>): ServerLimits {
  for (const [limit, value] of Object.entries(given)) {
    if (!Object.hasOwn(SERVER_LIMITS, limit)) {
      throw invalidLimit(limit, `it is not a limit of the server, which are ${Object.keys(SERVER_LIMITS).join(', ')}`);
    }
    if (!Number.isSafeInteger(value) || value < 1) throw invalidLimit(limit, 'it must be a whole number from 1');
  }
  return { ...SERVER_LIMITS, ...given };
}

function invalidLimit(limit: string, why: string): RlmError {
  return new RlmError({
    code: 'invalid-limit',
    message: `The server's limit ${limit} is not valid: ${why}.`,
    userAction: true,
    data: { limit },
  });
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
