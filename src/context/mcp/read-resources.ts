/**
 * Reads resources of an MCP server. Its answers are checked: a server may belong to another person.
 *
 * @module
 */
import { isObject } from '../../argument-checks.ts';
import { messageOf, RlmError } from '../../errors.ts';
import { MCP_BYTES, MCP_REQUEST_MS, MCP_RESOURCES } from '../source-limits.ts';
import type { ListedResource, McpClient, McpRequestOptions, ResourceContent } from './mcp-client.ts';

/** How resources are read. */
export interface ResourceRead {
  readonly client: McpClient;
  /** Names the server in errors. */
  readonly from: string;
  /** Most bytes of all resources together. Default {@link MCP_BYTES}. */
  readonly mcpBytes?: number;
  /** Most resources. Default {@link MCP_RESOURCES}. */
  readonly maxResources?: number;
  /** Milliseconds for one request. Default {@link MCP_REQUEST_MS}. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The JSON-RPC code by which a server of an earlier protocol says that it has no such resource. */
const NOT_FOUND = -32_002;
/** That of invalid parameters: servers of today send it with the URI. */
const INVALID = -32_602;

function isNotFound(error: unknown): boolean {
  const { code, data } = error as { readonly code?: unknown; readonly data?: unknown };
  return code === NOT_FOUND || (code === INVALID && isObject(data) && typeof data.uri === 'string');
}

/** All that a server lists. @throws RlmError `context-invalid`, `fetch-failed` */
export async function listedResources(read: ResourceRead): Promise<readonly ListedResource[]> {
  const { client, from, maxResources = MCP_RESOURCES } = read;
  const found: ListedResource[] = [];
  let cursor: string | undefined;
  for (let pages = 0; ; pages += 1) {
    const result = await requested(read, `the resources of ${from}`, async (options) => {
      if (client.listResources === undefined) throw new TypeError('the client has no method listResources');
      return await client.listResources(cursor === undefined ? undefined : { cursor }, options);
    });
    const { resources, nextCursor } = result as { readonly resources?: unknown; readonly nextCursor?: unknown };
    if (!Array.isArray(resources)) throw failed(from, 'its list of resources is not a list');
    for (const one of resources as readonly unknown[]) {
      if (!isObject(one) || typeof one.uri !== 'string') throw failed(from, 'it lists a resource without a URI');
      found.push({ uri: one.uri });
    }
    if (found.length > maxResources || pages > maxResources)
      throw failed(from, `it lists more than ${maxResources} resources: name one of them, or the beginning of some`);
    if (typeof nextCursor !== 'string' || nextCursor === '') return found;
    cursor = nextCursor;
  }
}

/** The contents of resources, one after the other. @throws RlmError `context-not-found`, `fetch-failed` */
export async function* readResources(uris: readonly string[], read: ResourceRead): AsyncGenerator<ResourceContent> {
  const { client, from, mcpBytes = MCP_BYTES } = read;
  let bytes = 0;
  for (const uri of uris) {
    const result = await requested(read, uri, (options) => client.readResource({ uri }, options));
    const { contents } = result as { readonly contents?: unknown };
    if (!Array.isArray(contents)) throw failed(from, `its answer for ${uri} has no contents`);
    for (const one of contents as readonly unknown[]) {
      const content = contentOf(one, uri, from);
      bytes += content.bytes.length;
      if (bytes > mcpBytes) throw failed(from, `its resources have more than ${mcpBytes} bytes (mcpBytes)`);
      yield content;
    }
  }
}

function contentOf(given: unknown, asked: string, from: string): ResourceContent {
  const { uri = asked, mimeType, text, blob } = isObject(given) ? given : {};
  const facts = { uri: String(uri), type: typeof mimeType === 'string' ? mimeType : '' };
  if (typeof text === 'string') return { ...facts, bytes: Buffer.from(text.toWellFormed()) };
  if (typeof blob === 'string' && /^[\w+/-]*={0,2}$/.test(blob))
    return { ...facts, bytes: Buffer.from(blob, 'base64') };
  throw failed(from, `its answer for ${asked} is neither a text nor a blob in base64`);
}

async function requested(
  { from, timeoutMs = MCP_REQUEST_MS, signal }: ResourceRead,
  what: string,
  request: (options: McpRequestOptions) => Promise<object>,
): Promise<object> {
  const time = AbortSignal.timeout(timeoutMs);
  const within = signal === undefined ? time : AbortSignal.any([signal, time]);
  let onAbort = (): void => undefined;
  // A client may not look at the signal.
  const stopped = new Promise<never>((_, reject) => {
    onAbort = () => reject(within.reason);
    within.addEventListener('abort', onAbort, { once: true });
  });
  try {
    within.throwIfAborted();
    const result: unknown = await Promise.race([request({ signal: within, timeout: timeoutMs }), stopped]);
    if (!isObject(result)) throw failed(from, `its answer for ${what} is not an object`);
    return result;
  } catch (error) {
    if (RlmError.isInstance(error)) throw error;
    if (signal?.aborted === true) throw signal.reason;
    if (time.aborted) throw failed(from, `it did not answer for ${what} within ${timeoutMs} ms`);
    if (isNotFound(error)) throw notFound(from, `it has no resource ${what}`);
    throw failed(from, messageOf(error), error);
  } finally {
    within.removeEventListener('abort', onAbort);
  }
}

/** A server that has no such resource. */
export function notFound(from: string, why: string): RlmError {
  const message = `No context in ${from}: ${why}.`;
  return new RlmError({ code: 'context-not-found', message, userAction: true, data: { path: from } });
}

function failed(from: string, why: string, cause?: unknown): RlmError {
  const message = `${from} could not be read: ${why}.`;
  return new RlmError({ code: 'fetch-failed', message, data: { server: from }, cause });
}
