import type { FileCopy } from '../../context/copies.ts';
import { copyFromGit, isGitSource } from '../../context/git/git-tree.ts';
import type { ContextSource } from '../../context/index.ts';
import { type Access, refused } from '../../context/url/checked-address.ts';
import { defined } from '../../defined.ts';
import { RlmError } from '../../errors.ts';
import type { Store } from '../../store/index.ts';
import type { McpServers } from '../options/mcp-servers.ts';
import { copyFromMcpServer, isMcpSource } from './mcp-copy.ts';
import { spoolPieces } from './spooled-input.ts';

/** A copy of what a source names that is not a path: a revision, a URL, a resource. */
export interface SourceCopy extends FileCopy {
  /** The name of its document. */
  readonly name: string;
  /** Adds to a context that is made of the copy what is not in it. */
  readonly annotate?: (source: ContextSource) => ContextSource;
}

/** How sources are copied. */
export interface CopyRequest {
  readonly options: {
    readonly exclude?: readonly string[];
    readonly encoding?: string;
    /** URLs may be fetched. */
    readonly fetch?: true;
    readonly fetchBytes?: number;
  };
  /** Where copies are kept. Default: the folder for temporary files. */
  readonly store?: Store;
  readonly signal?: AbortSignal;
  /** Of the user's config file. */
  readonly mcpServers?: McpServers;
  /** Which addresses URLs may lead to. Default: those of the public internet. */
  readonly access?: Access;
}

/**
 * Copies what a source names; undefined for a path.
 *
 * @throws RlmError `fetch-refused` for a URL without `--fetch`, and for one that may not be fetched; `fetch-failed`;
 *   `context-not-found`, `context-invalid`, `invalid-option`
 */
export async function copySource(source: string, request: CopyRequest): Promise<SourceCopy | undefined> {
  if (isGitSource(source)) return await gitCopy(source, request);
  if (isMcpSource(source)) return await mcpCopy(source, request);
  return isUrl(source) ? await urlCopy(source, request) : undefined;
}

function isUrl(source: string): boolean {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(source);
}

async function gitCopy(source: string, { options, store, signal }: CopyRequest): Promise<SourceCopy> {
  const { exclude = [], encoding } = options;
  const keep = spoolPieces(store);
  const copy = await copyFromGit({ source, keep, exclude, env: process.env, ...defined({ signal }) });
  if (!copy.tree || encoding === undefined) return { ...copy, name: source };
  await copy.dispose();
  throw new RlmError({
    code: 'invalid-option',
    message: `--encoding is for files, and ${source} is a folder of a revision: name one file, git:REV:PATH.`,
    userAction: true,
  });
}

async function mcpCopy(source: string, { store, signal, mcpServers, options }: CopyRequest): Promise<SourceCopy> {
  const keep = spoolPieces(store);
  const copy = await copyFromMcpServer({ source, servers: mcpServers, keep, env: process.env, ...defined({ signal }) });
  if (!copy.tree || options.encoding === undefined) return copy;
  await copy.dispose();
  throw new RlmError({
    code: 'invalid-option',
    message: `--encoding is for files, and ${source} is several resources: name one, mcp:SERVER:URI.`,
    userAction: true,
  });
}

async function urlCopy(url: string, { options, store, signal, access }: CopyRequest): Promise<SourceCopy> {
  if (options.fetch !== true)
    throw refused(url, 'it is a URL, and --fetch is not given: add it, or save the file first');
  // The code that fetches is loaded where something is fetched.
  const { fetchFile } = await import('../../context/url/fetch-file.ts');
  const { fetchBytes, encoding } = options;
  const how = { asUtf8: encoding === undefined, ...defined({ fetchBytes, signal, access }) };
  return await fetchFile({ url, keep: spoolPieces(store), ...how });
}
