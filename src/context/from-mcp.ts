import { defined } from '../defined.ts';
import { keepInCache, sourceOfCopy } from './copies.ts';
import type { FileOptions } from './examine-file.ts';
import { checkAmounts, checkFileOptions, checkPath, wrongArgument } from './file-options.ts';
import { namedFile } from './from-file.ts';
import { type ContextSource, contextSource } from './input.ts';
import type { McpClient } from './mcp/mcp-client.ts';

/** How resources of an MCP server are read. */
export interface McpResourceOptions extends FileOptions {
  /** Most bytes of all resources together. Default 100 MiB. */
  readonly mcpBytes?: number;
  /** Most resources. Default 1 000. */
  readonly maxResources?: number;
  /** Milliseconds for one request. Default 60 000. */
  readonly timeoutMs?: number;
  /** Aborting it ends the request under way. */
  readonly signal?: AbortSignal;
}

/**
 * Resources of an MCP server as context, read when a completion starts: one URI is a text or a document, as `fromFile` reads
 * them; several, a URI that ends with `/`, or none (all that the server lists) are a list of documents.
 *
 * @param client one that is connected: that of `@modelcontextprotocol/client`, or any with its `readResource` and `listResources`
 * @example
 * ```ts
 * await rlm.completion({ query: 'Which tickets are about login?', context: fromMcp(client, 'tickets://open/') });
 * ```
 */
export function fromMcp(
  client: McpClient,
  uris?: string | readonly string[],
  options: McpResourceOptions = {},
): ContextSource {
  const from = 'the MCP server';
  return contextSource(async (room) => {
    checkClient(client);
    const wanted = typeof uris === 'string' ? [uris] : uris;
    if (wanted?.length === 0) throw wrongArgument('fromMcp takes one URI or more, or none for all resources');
    for (const uri of wanted ?? []) checkPath('fromMcp', uri);
    checkFileOptions('fromMcp', options);
    const { as, encoding, mcpBytes, maxResources, timeoutMs, signal } = options;
    checkAmounts('fromMcp', { mcpBytes, maxResources, timeoutMs });
    const { copyResources } = await import('./mcp/copy-resources.ts');
    const bounds = defined({ mcpBytes, maxResources, timeoutMs, signal });
    const copy = await copyResources({ client, from, uris: wanted, keep: keepInCache, ...bounds });
    if (copy.tree && (as !== undefined || encoding !== undefined))
      throw wrongArgument('fromMcp takes as and encoding for one resource');
    const source = namedFile(copy.path, copy.name, defined({ as, encoding }));
    return await sourceOfCopy({ copy, from: wanted?.join(', ') ?? from, source }).load(room);
  });
}

function checkClient(client: unknown): void {
  const { readResource } = (client ?? {}) as { readonly readResource?: unknown };
  if (typeof readResource !== 'function') throw wrongArgument('fromMcp takes a client that has a method readResource');
}
