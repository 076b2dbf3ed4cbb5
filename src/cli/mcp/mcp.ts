import { once } from 'node:events';
import { invalidOption } from '../../argument-checks.ts';
import { defined } from '../../defined.ts';
import { type McpOptions as ServerParts, serveMcpOverHttp, serveMcpOverStdio } from '../../mcp/index.ts';
import { DEFAULT_MCP_PORT } from '../../mcp/limits.ts';
import { createRlm } from '../../rlm.ts';
import { EXIT } from '../exit-codes.ts';
import { type EngineOptions, modeOf } from '../options/ask-options.ts';
import { applyConfig } from '../options/config.ts';
import { requiredModel } from '../options/models.ts';
import { rlmOptionsOf } from '../options/rlm-options.ts';
import { type KeepOptions, openToKeep } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { describeError } from '../screen/error-report.ts';
import { forTerminal } from '../screen/terminal-text.ts';
import { serverKeys } from '../serve/keys.ts';

/** The options of `fathom mcp`. */
export interface McpOptions extends EngineOptions, KeepOptions, HttpOptions {
  readonly root?: readonly string[];
  readonly http?: true;
}

/** Options of `fathom mcp --http`. */
interface HttpOptions {
  readonly host?: string;
  readonly port?: number;
  readonly keys?: string;
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
}

/** Serves MCP clients until the one over pipes has gone, or until a signal. Resolves with the exit code. */
export async function serveMcp(options: McpOptions, console: Console): Promise<number> {
  const { env, stderr } = console;
  checkHttpOptions(options);
  // Standard output belongs to the protocol.
  const note = (line: string): void => void stderr.write(`fathom: ${line}\n`);
  const config = applyConfig(env);
  const model = requiredModel(options.model, env, config);
  await using keeping = openToKeep(options, note);
  const { store } = keeping;
  await using rlm = createRlm({ ...rlmOptionsOf({ model, options, config, env, note }), store });
  const onError = (error: unknown): void => void stderr.write(`${describeError(error)}\n`);
  const ended = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  const starting = { parts: { rlm, store, onError, ...modeOf(options, config) }, options, console, ended };
  await (options.http === true ? overHttp(starting) : overPipes(starting));
  return EXIT.answered;
}

function checkHttpOptions({ http, host, port, keys, allowHost, allowOrigin }: McpOptions): void {
  const given = {
    '--host': host,
    '--port': port,
    '--keys': keys,
    '--allow-host': allowHost,
    '--allow-origin': allowOrigin,
  };
  const [first] = Object.keys(defined(given));
  if (http === true || first === undefined) return;
  throw invalidOption(
    `The option ${first} has no effect without --http: a client over pipes is the program that started this one`,
  );
}

/** A server that is about to start. */
interface Starting {
  readonly parts: ServerParts;
  readonly options: McpOptions;
  readonly console: Console;
  /** Resolves at the first signal. */
  readonly ended: Promise<unknown>;
}

async function overPipes({ parts, options, console: { stderr }, ended }: Starting): Promise<void> {
  const roots = options.root ?? ['.'];
  await using server = await serveMcpOverStdio({ ...parts, roots });
  stderr.write(`fathom: MCP server on standard input and output; reads below ${roots.join(', ')}.\n`);
  await Promise.race([server.closed, ended]);
}

async function overHttp({ parts, options, console: { env, stdout, stderr }, ended }: Starting): Promise<void> {
  const { host, port = DEFAULT_MCP_PORT, allowHost, allowOrigin, root } = options;
  const keys = serverKeys(options.keys, env);
  await using server = await serveMcpOverHttp({
    ...{ ...parts, keys, port },
    ...defined({ host, allowedHosts: allowHost, allowedOrigins: allowOrigin, roots: root }),
  });
  const names = Object.keys(keys);
  const access = names.length === 0 ? 'no key is needed' : `keys: ${names.join(', ')}`;
  const reads = root === undefined ? 'reads no paths' : `reads below ${root.join(', ')}`;
  stdout.write(`${forTerminal(`Listening on ${server.url} (${access}; ${reads}).`)}\n`);
  await ended;
  stderr.write('Stopping: runs are paused and continue at the next start.\n');
}
