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

export type { FileOptions } from './examine-file.ts';
export { byteWords, shownName } from './file-words.ts';
export { fromFile } from './from-file.ts';
export { type FilesOptions, fromFiles } from './from-files.ts';
export {
  type ContextInput,
  type ContextNote,
  type ContextSource,
  contexts,
  type LoadedContext,
  type NamedContexts,
  type Projection,
} from './input.ts';
export { type ContextSet, isEmptyContext, loadContext } from './load.ts';
export { type ProjectedSource, projected } from './projected.ts';
export { sqlTables } from './sql-tables.ts';
