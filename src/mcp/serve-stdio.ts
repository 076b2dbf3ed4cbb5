import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { ClientRuns } from './client-runs.ts';
import { type McpOptions, mcpConfig } from './mcp-options.ts';
import { createProtocolServer } from './mcp-server.ts';

/** Where the messages of the client come from and go to. */
export interface StdioStreams {
  /** Default: standard input. */
  readonly input?: Readable;
  /** Default: standard output, which nothing else may write to. */
  readonly output?: Writable;
}

/** A server with its one client. */
export interface StdioServer extends AsyncDisposable {
  /** Resolves when the client has closed the connection. */
  readonly closed: Promise<void>;
  /** Pauses its runs, and closes the connection. A server that is started again on the same store resumes them. */
  close(): Promise<void>;
}

/** The one client of a server over pipes. */
export const LOCAL_CLIENT = 'local';

/**
 * Serves an `Rlm` to the MCP client at the other end of two pipes. Runs that an earlier server left on the store are resumed.
 *
 * @example
 * ```ts
 * const rlm = createRlm({ model: 'openai/gpt-5', store });
 * const server = await serveMcpOverStdio({ rlm, store, roots: ['.'] });
 * await server.closed;
 * ```
 * @throws RlmError `invalid-option`, `invalid-limit` for options that cannot be right
 */
export async function serveMcpOverStdio(options: McpOptions, streams: StdioStreams = {}): Promise<StdioServer> {
  const config = await mcpConfig(options);
  const runs = new ClientRuns(config);
  const { input = process.stdin, output = process.stdout } = streams;
  const transport = new StdioServerTransport(input, output, { maxBufferSize: config.limits.messageBytes });
  const gone = Promise.withResolvers<void>();
  const ended = (): void => gone.resolve();
  for (const event of ['end', 'close', 'error']) input.once(event, ended);
  for (const event of ['close', 'error']) output.once(event, ended);
  const onerror = (error: Error): void => {
    config.onError(error);
    // The transport closes itself on a message that is too long, and does not say so.
    if (/buffer|exceed/i.test(error.message)) ended();
  };
  const server = serveStdio(() => createProtocolServer({ config, runs }, LOCAL_CLIENT), { transport, onerror });
  await runs.recover();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= runs.stop().then(() => server.close());
    return closing;
  };
  return { closed: gone.promise, close, [Symbol.asyncDispose]: close };
}
