import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { KeepCopy } from '../../context/copies.ts';
import type { ResourceCopy } from '../../context/mcp/copy-resources.ts';
import { MCP_REQUEST_MS } from '../../context/source-limits.ts';
import { defined } from '../../defined.ts';
import { messageOf, RlmError } from '../../errors.ts';
import { folderWith, incompletePackage } from '../../package-files.ts';
import type { ConnectedClient, McpEndpoint } from '../mcp-client/main.ts';
import type { McpServers } from '../options/mcp-servers.ts';

const PREFIX = 'mcp:';

/** Whether a source names resources: `mcp:SERVER`, `mcp:SERVER:URI`. */
export function isMcpSource(path: string): boolean {
  return path.startsWith(PREFIX);
}

/** How resources are copied. */
export interface McpCopyRequest {
  readonly source: string;
  readonly servers: McpServers | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly keep: KeepCopy;
  readonly signal?: AbortSignal;
}

/**
 * Copies the resources that a source names, from a server of the config file.
 *
 * @throws RlmError `invalid-option` for a server that the file does not name, `context-not-found`, `fetch-failed`
 */
export async function copyFromMcpServer(request: McpCopyRequest): Promise<ResourceCopy> {
  const { source, keep, signal } = request;
  const [, name = '', uri] = /^([\w-]*)(?::(.+))?$/s.exec(source.slice(PREFIX.length)) ?? [];
  const server = endpointOf(name, request);
  const from = `MCP server ${name}`;
  const { client, close } = await connected(server, from, signal);
  // Loaded where something is read, as the client.
  const { copyResources } = await import('../../context/mcp/copy-resources.ts');
  try {
    const uris = uri === undefined ? undefined : [uri];
    return await copyResources({ client, from, uris, keep, ...defined({ signal }) });
  } finally {
    await close().catch(() => undefined); // It was only read.
  }
}

function endpointOf(name: string, { source, servers = {}, env }: McpCopyRequest): McpEndpoint {
  const server = Object.hasOwn(servers, name) ? servers[name] : undefined;
  if (server === undefined) {
    const names = Object.keys(servers);
    const known = names.length === 0 ? 'it names none' : `it names ${names.join(', ')}`;
    throw invalid(
      `No server ${JSON.stringify(name)} for ${source}: name it under mcpServers in the config file (${known})`,
    );
  }
  if ('url' in server) {
    const { url, tokenFrom } = server;
    return { url, token: tokenFrom === undefined ? undefined : valueOfVariable(tokenFrom, name, env) };
  }
  const { command, args = [], env: names = [] } = server;
  const values = names.map((one) => [one, valueOfVariable(one, name, env)] as const);
  return { command, args, env: Object.fromEntries(values) };
}

function valueOfVariable(variable: string, server: string, env: McpCopyRequest['env']): string {
  const value = env[variable];
  if (value !== undefined && value !== '') return value;
  throw invalid(`MCP server ${server} needs the environment variable ${variable}, which is not set`);
}

async function connected(server: McpEndpoint, from: string, signal: AbortSignal | undefined): Promise<ConnectedClient> {
  const time = AbortSignal.timeout(MCP_REQUEST_MS);
  const { connect } = await loadClient();
  try {
    return await connect(server, signal === undefined ? time : AbortSignal.any([signal, time]), MCP_REQUEST_MS);
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    const message = `${from} could not be reached: ${messageOf(error)}.`;
    throw new RlmError({ code: 'fetch-failed', message, userAction: true, data: { server: from }, cause: error });
  }
}

const BUILT = 'dist/cli/mcp-client/main.mjs';
const SOURCE = 'src/cli/mcp-client/main.ts';

/** The module that has the client: built with it in the package, the sources in a checkout. */
async function loadClient(): Promise<typeof import('../mcp-client/main.ts')> {
  const file = import.meta.url.endsWith('.ts') ? SOURCE : BUILT;
  const root = folderWith(file);
  if (root === undefined) throw incompletePackage(file);
  return (await import(pathToFileURL(join(root, file)).href)) as typeof import('../mcp-client/main.ts');
}

function invalid(what: string): RlmError {
  return new RlmError({ code: 'invalid-option', message: `${what}.`, userAction: true });
}
