import { once } from 'node:events';
import { serveMcpOverStdio } from '../../mcp/index.ts';
import { createRlm } from '../../rlm.ts';
import { EXIT } from '../exit-codes.ts';
import type { EngineOptions } from '../options/ask-options.ts';
import { readConfig } from '../options/config.ts';
import { requiredModel } from '../options/models.ts';
import { rlmOptionsOf } from '../options/rlm-options.ts';
import { type KeepOptions, openToKeep } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { describeError } from '../screen/error-report.ts';

/** The options of `fathom mcp`. */
export interface McpOptions extends EngineOptions, KeepOptions {
  readonly root?: readonly string[];
}

/** Serves the MCP client that started this process until it closes the connection. Resolves with the exit code. */
export async function serveMcp(options: McpOptions, { env, stderr }: Console): Promise<number> {
  // Standard output belongs to the protocol.
  const note = (line: string): void => void stderr.write(`fathom: ${line}\n`);
  const config = readConfig(env);
  const model = requiredModel(options.model, env, config);
  await using keeping = openToKeep(options, note);
  const { store } = keeping;
  await using rlm = createRlm({ ...rlmOptionsOf({ model, options, config, env, note }), store });
  const roots = options.root ?? ['.'];
  const onError = (error: unknown): void => void stderr.write(`${describeError(error)}\n`);
  const ended = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  await using server = await serveMcpOverStdio({ rlm, store, roots, onError });
  note(`MCP server on standard input and output; reads below ${roots.join(', ')}.`);
  await Promise.race([server.closed, ended]);
  return EXIT.answered;
}
