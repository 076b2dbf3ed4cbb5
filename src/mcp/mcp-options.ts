import { invalidOption, isObject, kindOf } from '../argument-checks.ts';
import { type ReadableFolders, readableFolders } from '../door/paths.ts';
import { RUN_MODES, type RunMode } from '../engine/run.ts';
import { RlmError } from '../errors.ts';
import { checkOptionNames, type OptionNames } from '../option-names.ts';
import type { Rlm } from '../rlm.ts';
import type { Store } from '../store/index.ts';
import { MCP_LIMITS, type McpLimits } from './limits.ts';

/** How an MCP server is started. It alone decides which models, limits and folders are used. */
export interface McpOptions {
  /** Answers the questions. The caller closes it, after the server. */
  readonly rlm: Rlm;
  /** The store that `rlm` was made with. */
  readonly store: Store;
  /** Folders below which clients may name paths. Default: none, and paths are refused. */
  readonly roots?: readonly string[];
  /** How questions are answered, except those to a handle, which take the loop. Default `always`. */
  readonly mode?: RunMode;
  /** Limits of the server itself. Default: {@link MCP_LIMITS}. */
  readonly limits?: Partial<McpLimits>;
  /** Errors that no client is shown in detail. Default: a warning of this process. */
  readonly onError?: (error: unknown) => void;
}

/** The options with their defaults. */
export interface McpConfig extends Required<Omit<McpOptions, 'roots' | 'limits'>> {
  readonly limits: McpLimits;
  readonly readable: ReadableFolders | undefined;
}

const NAMES: OptionNames<McpOptions> = {
  ...{ rlm: true, store: true, roots: true, mode: true, limits: true, onError: true },
};

/** @throws RlmError `invalid-option`, `invalid-limit` for options that cannot be right */
export async function mcpConfig(options: McpOptions): Promise<McpConfig> {
  if (!isObject(options) || !isObject(options.rlm) || !isObject(options.store)) {
    throw invalidOption('An MCP server needs an Rlm and its store: { rlm, store }');
  }
  checkOptionNames('the MCP server', options, NAMES);
  const { rlm, store, roots = [], mode = 'always', onError = warn } = options;
  checkMode(mode);
  const limits = checkedLimits(options.limits ?? {});
  const except = store.location === 'memory' ? [] : [store.location];
  const readable = roots.length === 0 ? undefined : await readableFolders({ folders: roots, except });
  return { rlm, store, mode, limits, onError, readable };
}

function checkMode(mode: unknown): void {
  if (RUN_MODES.some((one) => one === mode)) return;
  throw invalidOption(`The option mode has to be ${RUN_MODES.join(', ')}, not ${kindOf(mode)}`);
}

function checkedLimits(given: Partial<McpLimits>): McpLimits {
  for (const [limit, value] of Object.entries(given)) {
    if (Object.hasOwn(MCP_LIMITS, limit) && Number.isSafeInteger(value) && value >= 1) continue;
    const known = Object.keys(MCP_LIMITS).join(', ');
    throw new RlmError({
      code: 'invalid-limit',
      message: `The limit ${limit} of the MCP server is not valid: it must be one of ${known}, and a whole number from 1.`,
      userAction: true,
      data: { limit },
    });
  }
  return { ...MCP_LIMITS, ...given };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
