/**
 * The kinds of context that a caller can give.
 *
 * @example
 * ```ts
 * await rlm.completion({ query: 'What changed?', context: contexts({ before: fromFile('v1.txt'), after: fromFile('v2.txt') }) });
 * ```
 *
 * @module
 */

export { setCacheBytes } from '../convert/conversion-cache.ts';
export { type Attachment, loadAttachments } from './attachments.ts';
export type { FileOptions } from './examine-file.ts';
export { byteWords, shownName } from './file-words.ts';
export { fromFile } from './from-file.ts';
export { type FilesOptions, fromFiles } from './from-files.ts';
export { fromGit, type GitOptions } from './from-git.ts';
export { fromMcp, type McpResourceOptions } from './from-mcp.ts';
export { fromUrl, type UrlOptions } from './from-url.ts';
export {
  type ContextInput,
  type ContextNote,
  type ContextSource,
  contexts,
  type LoadedContext,
  type NamedContexts,
  type Projection,
} from './input.ts';
export { ContextRoom } from './large/context-room.ts';
export { type ContextSet, isEmptyContext, loadContext } from './load.ts';
export type { McpClient, McpRequestOptions } from './mcp/mcp-client.ts';
export { type ProjectedSource, projected } from './projected.ts';
export { type LoadedSeeds, loadSeeds, type SeedValues } from './seeds.ts';
export { sqlTables } from './sql-tables.ts';
