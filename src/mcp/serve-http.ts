import { createMcpHandler, type McpHttpHandler } from '@modelcontextprotocol/server';
import { Hono } from 'hono';
import { invalidOption, isObject } from '../argument-checks.ts';
import { defined } from '../defined.ts';
import { BodyReader } from '../server/body.ts';
import { answerError, guardHost, guardKeys, problemResponse } from '../server/guards.ts';
import { listen } from '../server/http-listener.ts';
import { HttpProblem } from '../server/http-problem.ts';
import { HTTP_LIMITS, type HttpLimits, withDefaults } from '../server/limits.ts';
import { type ListenConfig, type ListenOptions, listenConfig } from '../server/listen-options.ts';
import type { ServerEnv } from '../server/server-env.ts';
import { ClientRuns } from './client-runs.ts';
import { type McpOptions, mcpConfig } from './mcp-options.ts';
import { createProtocolServer, type McpParts } from './mcp-server.ts';
import { LOCAL_CLIENT } from './serve-stdio.ts';

/** How an MCP server over HTTP is started. A client is the name of its key; without keys all are one client, `owner`. */
export interface McpHttpOptions extends McpOptions, ListenOptions {
  /** Limits of requests and connections, as those of `fathom serve`. Default: `HTTP_LIMITS`. */
  readonly httpLimits?: Partial<HttpLimits>;
}

/** A server that listens. */
export interface McpHttpServer extends AsyncDisposable {
  /** The address that clients are given, such as `http://127.0.0.1:8001/mcp`. */
  readonly url: string;
  /** Takes no further request, pauses its runs, and closes. A server that is started again on the same store resumes them. */
  close(): Promise<void>;
}

/** The one route. */
const PATH = '/mcp';

/**
 * Serves an `Rlm` to MCP clients over Streamable HTTP. Runs that an earlier server left on the store are resumed.
 *
 * @example
 * ```ts
 * const rlm = createRlm({ model: 'openai/gpt-5', store });
 * const server = await serveMcpOverHttp({ rlm, store, port: 8001 });
 * ```
 * @throws RlmError `invalid-option`, `invalid-limit` for options that cannot be right; the system's error when it cannot listen
 */
export async function serveMcpOverHttp(options: McpHttpOptions): Promise<McpHttpServer> {
  if (!isObject(options)) throw invalidOption('An MCP server needs an Rlm and its store: { rlm, store }');
  const { keys, host, port, allowedHosts, allowedOrigins, httpLimits = {}, ...rest } = options as McpHttpOptions;
  const rules = listenConfig(defined({ keys, host, port, allowedHosts, allowedOrigins }));
  if (Object.hasOwn(rules.keys, LOCAL_CLIENT)) {
    throw invalidOption(
      `No key may have the name ${LOCAL_CLIENT}: it names the client of fathom mcp without --http, whose runs the key would see`,
    );
  }
  const limits = withDefaults(httpLimits, HTTP_LIMITS);
  const config = await mcpConfig(rest);
  const runs = new ClientRuns(config);
  const handler = protocolHandler({ config, runs }, limits);
  const app = createMcpApp({ handler, rules, limits, onError: config.onError });
  const listener = await listen(app.fetch, { ...rules, limits });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    // Calls that wait for a run are answered when it is paused, so the protocol is closed last.
    closing ??= listener.close(() => runs.stop()).then(() => handler.close());
    return closing;
  };
  try {
    await runs.recover();
  } catch (error) {
    await close();
    throw error;
  }
  return { url: `${listener.url}${PATH}`, close, [Symbol.asyncDispose]: close };
}

/** The protocol without state between requests: runs and sessions are named by their ids. */
function protocolHandler(parts: McpParts, { keepAliveMs }: HttpLimits): McpHttpHandler {
  return createMcpHandler(
    ({ authInfo }) => {
      if (authInfo === undefined) throw new Error('The request has no client: the guard of keys has not seen it.');
      return createProtocolServer(parts, authInfo.clientId);
    },
    // A stream has comments while a call is silent, which keep proxies from closing its connection; a JSON body has none.
    { keepAliveMs, responseMode: 'sse', onerror: parts.config.onError },
  );
}

function createMcpApp({
  handler,
  rules,
  limits,
  onError,
}: {
  readonly handler: McpHttpHandler;
  readonly rules: ListenConfig;
  readonly limits: HttpLimits;
  readonly onError: (error: unknown) => void;
}): Hono<ServerEnv> {
  const bodies = new BodyReader(limits);
  const app = new Hono<ServerEnv>();
  guardHost(app, rules);
  guardKeys(app, rules.keys);
  app.all(PATH, async (c) => {
    const request = c.req.raw;
    // The key itself stays here.
    const authInfo = { token: '', clientId: c.var.client.name, scopes: [] };
    if (request.method !== 'POST') return await handler.fetch(request, { authInfo });
    return await handler.fetch(request, { authInfo, parsedBody: await bodies.json(request) });
  });
  app.notFound((c) =>
    problemResponse(c, new HttpProblem('unknown-route', `There is no ${c.req.path}: the MCP server is at ${PATH}.`)),
  );
  app.onError((error, c) => answerError(error, c, onError));
  return app;
}
