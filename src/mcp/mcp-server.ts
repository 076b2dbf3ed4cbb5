import {
  type CallToolResult,
  type InputRequiredResult,
  ProtocolError,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { rpcError } from '../door/error-response.ts';
import { RlmError } from '../errors.ts';
import { requireFrom } from '../package-files.ts';
import { ASK_TOOLS } from './ask-tools.ts';
import { foldersForCall } from './client-roots.ts';
import type { ClientRuns } from './client-runs.ts';
import { HANDLE_TOOLS } from './handle-tools.ts';
import type { McpConfig } from './mcp-options.ts';
import { failedResult, progressOf, type Tool } from './tool.ts';

const { version: VERSION } = requireFrom()('fathom-rlm/package.json') as { readonly version: string };
const TOOLS: ReadonlyMap<string, Tool> = new Map([...ASK_TOOLS, ...HANDLE_TOOLS].map((tool) => [tool.name, tool]));

/** Clients hand it to their model at the start. */
const INSTRUCTIONS =
  'Fathom answers questions about data that is too large to read: give ask a question and the paths of files or folders, and do ' +
  'not read them first. Data is read in a sandbox by another model; only the answer comes back.';

/** Parts that all connections share. */
export interface McpParts {
  readonly config: McpConfig;
  readonly runs: ClientRuns;
}

/** A server of the protocol for one connection, or one request, of a client. */
export function createProtocolServer({ config, runs }: McpParts, client: string): Server {
  const server = new Server(
    { name: 'fathom', title: 'Fathom', version: VERSION },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  server.onerror = config.onError;
  server.setRequestHandler('tools/list', () => ({
    tools: [...TOOLS.values()].map(({ definition }) => definition) as never,
  }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const found = TOOLS.get(params.name);
    if (found === undefined) throw unknownTool(params.name);
    return await callTool(found, params.arguments, { config, runs, client, context, server });
  });
  return server;
}

interface Calling extends McpParts {
  readonly client: string;
  readonly context: ServerContext;
  readonly server: Server;
}

async function callTool(
  tool: Tool,
  given: unknown,
  { config: all, runs, client, context, server }: Calling,
): Promise<CallToolResult | InputRequiredResult> {
  const { signal } = context.mcpReq;
  const progress = progressOf(context, performance.now());
  try {
    const folders = await foldersForCall(given, { config: all, context, server });
    if ('ask' in folders) return folders.ask;
    const config = { ...all, readable: folders.readable };
    const { text, data } = await tool.call(given, { config, runs, client, signal, progress });
    return { content: [{ type: 'text', text }], structuredContent: { ...data } };
  } catch (error) {
    // A cancelled call gets no answer.
    if (!RlmError.isInstance(error) && !signal.aborted) all.onError(error);
    return failedResult(error);
  }
}

/** The request itself is invalid: an error of the protocol, as the error table has it. */
function unknownTool(name: string): ProtocolError {
  const { code, message, data } = rpcError(
    new RlmError({
      code: 'invalid-option',
      message: `There is no tool ${JSON.stringify(name.slice(0, 100))}: the tools are ${[...TOOLS.keys()].join(', ')}.`,
      userAction: true,
      data: { param: 'name' },
    }),
  );
  return new ProtocolError(code, message, data);
}
