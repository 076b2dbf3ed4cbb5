import { RlmError } from '../../errors.ts';
import type { RunRecord, RunStatus, Store } from '../../store/index.ts';
import { type BriefPage, type RunPages, runPages } from '../../view/pages/index.ts';
import { readDocument } from '../../view/read-document.ts';
import { briefPage, documentBriefs, PAGE_BRIEFS, type StatusQuery } from '../../view/run-brief.ts';
import type { RunDocument } from '../../view/run-document.ts';
import type { Client } from '../access.ts';
import { PAGE_CACHE_MS, PAGE_CACHE_RUNS, PAGE_LIVE_MS } from '../limits.ts';

/** The runs that pages show. */
export interface PageLibrary {
  list(client: Client, query: StatusQuery): Promise<BriefPage>;
  /** @throws RlmError `run-not-found` */
  pages(id: string, client: Client): Promise<RunPages>;
}

/** Which runs of a store a client may see. */
export interface RunAccess {
  /** @throws RlmError `run-not-found` */
  record(id: string, client: Client): Promise<RunRecord>;
  /** Newest first; where `most` is given, at least so many of them. */
  all(client: Client, status?: RunStatus, most?: number): Promise<readonly RunRecord[]>;
}

interface Cached {
  readonly version: string;
  readonly pages: Promise<RunPages>;
  readonly until: number;
}

/** The runs of a store. The trees of a few runs are kept for a while: a page asks for many parts of one. */
export class StoreLibrary implements PageLibrary {
  readonly #store: Store;
  readonly #access: RunAccess;
  readonly #cache = new Map<string, Cached>();

  constructor(store: Store, access: RunAccess) {
    this.#store = store;
    this.#access = access;
  }

  async list(client: Client, { status, ...query }: StatusQuery): Promise<BriefPage> {
    // A list that is looked at every few seconds reads no more records than it shows.
    const isFirst = query.text.trim() === '' && query.before === undefined;
    const records = await this.#access.all(client, status, isFirst ? PAGE_BRIEFS + 1 : undefined);
    return await briefPage(records, this.#store, query);
  }

  async pages(id: string, client: Client): Promise<RunPages> {
    const record = await this.#access.record(id, client);
    const version = `${record.status} ${record.updatedAt}`;
    const now = Date.now();
    for (const [key, { until }] of this.#cache) if (until < now) this.#cache.delete(key);
    const cached = this.#cache.get(id);
    if (cached?.version === version) return await cached.pages;
    const pages = readDocument(record, this.#store).then(runPages);
    // A tree that grows is shared by the requests of one look only.
    const lifetime = record.status === 'running' ? PAGE_LIVE_MS : PAGE_CACHE_MS;
    this.#cache.delete(id);
    this.#cache.set(id, { version, pages, until: now + lifetime });
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > PAGE_CACHE_RUNS && oldest !== undefined) this.#cache.delete(oldest);
    // A failure is not kept.
    pages.catch(() => this.#cache.delete(id));
    return await pages;
  }
}

/** The one run of a file. */
export function documentLibrary(document: RunDocument): PageLibrary {
  const pages = runPages(document);
  const { id } = document.facts;
  return {
    list: (_, query) => Promise.resolve(documentBriefs(document, query)),
    pages(given) {
      if (given === id) return Promise.resolve(pages);
      const message = `This server shows one file, and no run ${JSON.stringify(given.slice(0, 64))}.`;
      return Promise.reject(new RlmError({ code: 'run-not-found', message, userAction: true }));
    },
  };
}
