import { existsSync } from 'node:fs';
import { defined } from '../defined.ts';
import { type KeepCopy, keepInCache, sourceOfCopy } from './copies.ts';
import type { FileOptions } from './examine-file.ts';
import { checkAmounts, checkFileOptions, checkPath } from './file-options.ts';
import { namedFile } from './from-file.ts';
import { type ContextSource, contextSource } from './input.ts';
import type { Access } from './url/checked-address.ts';
import type { FetchedFile } from './url/fetch-file.ts';

/** How a URL is fetched and read. */
export interface UrlOptions extends FileOptions {
  /** Most bytes, after decompression. Default 100 MiB. */
  readonly fetchBytes?: number;
  /** Milliseconds for all of it, redirects included. Default 60 000. */
  readonly timeoutMs?: number;
  /** Aborting it ends the fetch. */
  readonly signal?: AbortSignal;
}

/**
 * A file of the web as context, fetched once, when a completion starts: a page, a PDF, a table, as `fromFile` reads them. Only
 * addresses of the public internet are connected to, also by redirects; nothing but the URL is sent.
 *
 * Fetching is the caller's alone: no model and no client of a door can ask for it.
 *
 * @example
 * ```ts
 * await rlm.completion({ query: 'What does clause 7 say?', context: fromUrl('https://example.com/contract.pdf') });
 * ```
 */
export function fromUrl(url: string, options: UrlOptions = {}): ContextSource {
  return urlSource(url, options);
}

/** How {@link urlSource} reaches the network and keeps what it gets. */
export interface UrlParts {
  /** Default: the public internet. */
  readonly access?: Access;
  /** Default: the cache. */
  readonly keep?: KeepCopy;
}

/** A context of a URL: two runs with the same source fetch it once. */
export function urlSource(
  url: string,
  options: UrlOptions,
  { access, keep = keepInCache }: UrlParts = {},
): ContextSource {
  let fetched: Promise<FetchedFile> | undefined;
  const fetchOnce = async (): Promise<FetchedFile> => {
    const { fetchBytes, timeoutMs, signal, as, encoding } = options;
    // The code that fetches is loaded where something is fetched.
    const { fetchFile } = await import('./url/fetch-file.ts');
    const asUtf8 = as !== 'bytes' && encoding === undefined;
    return await fetchFile({ url, keep, asUtf8, ...defined({ fetchBytes, timeoutMs, signal, access }) });
  };
  const fetchedFile = async (): Promise<FetchedFile> => {
    // One that failed is tried again, and one that the cache has dropped.
    const before = await fetched?.catch(() => undefined);
    if (before !== undefined && existsSync(before.path)) return before;
    fetched = fetchOnce();
    return await fetched;
  };
  return contextSource(async (room) => {
    checkPath('fromUrl', url);
    checkFileOptions('fromUrl', options);
    checkAmounts('fromUrl', { fetchBytes: options.fetchBytes, timeoutMs: options.timeoutMs });
    const copy = await fetchedFile();
    const { as, encoding } = options;
    const source = namedFile(copy.path, copy.name, defined({ as, encoding }));
    return await sourceOfCopy({ copy, from: url, source }).load(room);
  });
}
