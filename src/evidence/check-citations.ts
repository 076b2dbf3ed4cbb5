import type { Citation, Evidence } from '../event/event.ts';
import { findExact, findLoose, type LooseText, loose, type QuotePlace } from './find-quote.ts';
import { CITED_QUOTE_CHARS, LOOSE_SEARCH_CHARS } from './limits.ts';
import type { SourceText } from './source-texts.ts';

/** A citation as the model gives it. */
export interface GivenCitation {
  readonly document?: string | number | null;
  readonly start?: number | null;
  readonly end?: number | null;
  readonly quote: string;
}

/** Checks citations against the documents of a context. Texts are read when they are needed, and once where they are small. */
export class CitationChecker {
  readonly #sources: readonly SourceText[];
  readonly #texts = new Map<SourceText, string | undefined>();
  readonly #loose = new Map<SourceText, LooseText>();
  #kept = 0;

  constructor(sources: readonly SourceText[]) {
    this.#sources = sources;
  }

  /** The citations with their places, and the verdict over all. */
  async check(given: readonly GivenCitation[]): Promise<Evidence> {
    const citations: Citation[] = [];
    for (const one of given) citations.push(await this.#checkOne(one));
    const present = citations.filter(({ status }) => status !== 'not-found').length;
    const verdict = present === 0 ? 'unverified' : present === citations.length ? 'verified' : 'partly';
    return { verdict, citations };
  }

  async #checkOne(given: GivenCitation): Promise<Citation> {
    const named = this.#named(given.document);
    const others = this.#sources.filter((source) => !named.includes(source));
    const quote = given.quote.slice(0, CITED_QUOTE_CHARS).toWellFormed();
    const name = given.document === undefined || given.document === null ? '' : String(given.document).slice(0, 500);
    for (const [sources, status] of [
      [named, 'found'],
      [others, name === '' ? 'found' : 'moved'],
    ] as const) {
      const found = await this.#exact(sources, given);
      if (found !== undefined) return { document: shown(found.source), quote, status, ...found.place };
    }
    const moved = (await this.#loosely(named, given)) ?? (await this.#loosely(others, given));
    if (moved !== undefined) return { document: shown(moved.source), quote, status: 'moved', ...moved.place };
    return { document: name, quote, status: 'not-found' };
  }

  /** The documents that a citation names; the only one, where there is one. */
  #named(document: GivenCitation['document']): readonly SourceText[] {
    if (this.#sources.length === 1) return this.#sources;
    if (document === undefined || document === null) return [];
    const name = String(document);
    const exact = this.#sources.filter(({ names }) => names.includes(name));
    if (exact.length > 0) return exact;
    return this.#sources.filter(({ names }) => names.some((one) => one.endsWith(`/${name}`)));
  }

  async #exact(sources: readonly SourceText[], given: GivenCitation): Promise<Found | undefined> {
    for (const source of sources) {
      const text = await this.#text(source);
      const place = text === undefined ? undefined : findExact(text, given.quote, given);
      if (place !== undefined) return { source, place };
    }
    return undefined;
  }

  async #loosely(sources: readonly SourceText[], given: GivenCitation): Promise<Found | undefined> {
    let chars = 0;
    for (const source of sources) {
      const text = await this.#text(source);
      if (text === undefined) continue;
      chars += text.length;
      // A named document is searched whatever its size.
      if (chars > LOOSE_SEARCH_CHARS && sources.length > 1) return undefined;
      const place = findLoose(text, this.#looseOf(source, text), given.quote);
      if (place !== undefined) return { source, place };
    }
    return undefined;
  }

  async #text(source: SourceText): Promise<string | undefined> {
    if (this.#texts.has(source)) return this.#texts.get(source);
    const text = await source.read();
    this.#kept += text?.length ?? 0;
    if (this.#kept <= LOOSE_SEARCH_CHARS) this.#texts.set(source, text);
    return text;
  }

  #looseOf(source: SourceText, text: string): LooseText {
    const known = this.#loose.get(source);
    if (known !== undefined) return known;
    const made = loose(text);
    if (this.#texts.has(source) && text.length <= LOOSE_SEARCH_CHARS / 16) this.#loose.set(source, made);
    return made;
  }
}

interface Found {
  readonly source: SourceText;
  readonly place: QuotePlace;
}

function shown({ names }: SourceText): string {
  return names[0] ?? '';
}
