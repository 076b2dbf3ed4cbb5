/**
 * Connects to MCP servers with the official client. The package has this module as one built file with all of the client, which is a
 * development dependency: users of other parts do not install it.
 *
 * @module
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { McpClient } from '../../context/index.ts';

/** A server as the config file names it, with the values of its environment variables. */
export type McpEndpoint =
  | { readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> }
  | { readonly url: string; readonly token: string | undefined };

/** A client and its end. */
export interface ConnectedClient {
  readonly client: McpClient;
  readonly close: () => Promise<void>;
}

/** Bytes of one message: a resource of `MCP_BYTES` in base64. */
const MESSAGE_BYTES: number = 150 * 1_024 * 1_024;

/** Starts the program of a server, or opens its URL, and connects to it. */
export async function connect(server: McpEndpoint, signal: AbortSignal, timeout: number): Promise<ConnectedClient> {
  const client = new Client({ name: 'fathom-rlm', version: '1' });
  const transport =
    'url' in server
      ? new StreamableHTTPClientTransport(new URL(server.url), {
          requestInit: {
            headers: server.token === undefined ? {} : { authorization: `Bearer ${server.token}` },
            redirect: 'error',
          },
        })
      : new StdioClientTransport({
          command: server.command,
          args: [...server.args],
          env: { ...getDefaultEnvironment(), ...server.env },
          stderr: 'ignore',
          maxBufferSize: MESSAGE_BYTES,
        });
  try {
    await client.connect(transport, { signal, timeout });
  } catch (error) {
    await client.close().catch(() => undefined);
    throw error;
  }
  return { client, close: () => client.close() };
}
