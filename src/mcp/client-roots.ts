import { fileURLToPath } from 'node:url';
import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequiredResult,
  inputRequired,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { isObject } from '../argument-checks.ts';
import { narrowedFolders, type ReadableFolders } from '../door/paths.ts';
import { messageOf, RlmError } from '../errors.ts';
import { MAX_CLIENT_ROOTS, ROOTS_TIMEOUT_MS } from './limits.ts';
import type { McpConfig } from './mcp-options.ts';

/** The folders that one call may read, or the question for the roots of its client. */
export type FoldersForCall = { readonly readable: ReadableFolders | undefined } | { readonly ask: InputRequiredResult };

interface Calling {
  readonly config: McpConfig;
  readonly context: ServerContext;
  readonly server: Server;
}

/** The name of the question in a request that its client repeats with the answer. */
const QUESTION = 'roots';

const ROOTS = z.object({ roots: z.array(z.object({ uri: z.string() })) });

/**
 * The folders of the server, narrowed to the roots of the client where it has some. A call without paths asks for none.
 *
 * @throws RlmError `context-invalid` where no root of the client lies in them
 */
export async function foldersForCall(given: unknown, calling: Calling): Promise<FoldersForCall> {
  const { readable } = calling.config;
  if (readable === undefined || !isObject(given) || given.paths === undefined) return { readable };
  const answer = await rootsOf(calling);
  if (answer === 'ask') return { ask: inputRequired({ inputRequests: { [QUESTION]: inputRequired.listRoots() } }) };
  const folders = foldersOf(answer);
  if (folders.length === 0) return { readable };
  const narrowed = await narrowedFolders(readable, folders);
  if (narrowed !== undefined) return { readable: narrowed };
  throw new RlmError({
    code: 'context-invalid',
    message: `No path can be read: the roots of the client (${folders.slice(0, SHOWN).join(', ')}) lie outside of the folders that this server may read (${readable.folders.slice(0, SHOWN).join(', ')}).`,
    userAction: true,
    data: { param: 'paths' },
  });
}

/** Folders that a message names. */
const SHOWN = 8;

/** The client's list; undefined where it has none. Since 2026 a client gets the question as the result of its call. */
async function rootsOf({ config, context, server }: Calling): Promise<unknown> {
  const { envelope, inputResponses } = context.mcpReq;
  if (envelope !== undefined) {
    const declared = (envelope as Readonly<Record<string, unknown>>)[CLIENT_CAPABILITIES_META_KEY];
    if (!isObject(declared) || declared.roots === undefined) return undefined;
    return inputResponses === undefined ? 'ask' : inputResponses[QUESTION];
  }
  if (server.getClientCapabilities()?.roots === undefined) return undefined;
  try {
    return await context.mcpReq.send({ method: 'roots/list' }, { timeout: ROOTS_TIMEOUT_MS });
  } catch (error) {
    config.onError(new Error(`The client did not list its roots: ${messageOf(error)}`, { cause: error }));
    return undefined;
  }
}

/** Folders only: other URIs name nothing that could be read. */
function foldersOf(answer: unknown): readonly string[] {
  const { data } = ROOTS.safeParse(answer);
  return (data?.roots ?? []).slice(0, MAX_CLIENT_ROOTS).flatMap(({ uri }) => {
    try {
      return [fileURLToPath(uri)];
    } catch {
      return [];
    }
  });
}
