import type { ContextSet } from '../context/index.ts';
import { type SourceText, sourceTexts } from './source-texts.ts';

/** Deterministic checks of a typed answer: returns one sentence per issue, and an empty list where there is none. */
export type AnswerChecks<T> = {
  // A method, so that a request of any answer type is a request of an unknown one.
  check(answer: T, context: CheckContext): readonly string[] | undefined | Promise<readonly string[] | undefined>;
}['check'];

/** A hit of {@link CheckContext.search}. */
export interface SearchHit {
  /** The document's path, key or index, or the name of the context. */
  readonly document: string;
  /** UTF-16 code units from the beginning of the document, as JavaScript counts. */
  readonly start: number;
  readonly text: string;
}

/** The context as checks read it, on the host. */
export interface CheckContext {
  /** The documents one after the other: a text is one document, as is each item of a list or mapping. */
  documents(): AsyncIterable<{ readonly name: string; readonly text: string }>;
  /** How often a text or a pattern is in the context. A pattern without the flag `g` counts all matches as well. */
  count(wanted: string | RegExp): Promise<number>;
  /** The places of a text or pattern, the first `most` (default 100). */
  search(wanted: string | RegExp, most?: number): Promise<readonly SearchHit[]>;
}

const MOST_HITS = 100;

export function checkContext(contexts: ContextSet): CheckContext {
  let sources: Promise<readonly SourceText[]> | undefined;
  async function* documents(): AsyncGenerator<{ readonly name: string; readonly text: string }> {
    sources ??= sourceTexts(contexts);
    for (const { names, read } of await sources) {
      const text = await read();
      if (text !== undefined) yield { name: names[0] ?? '', text };
    }
  }
  return {
    documents,
    async count(wanted) {
      let sum = 0;
      for await (const { text } of documents()) for (const _ of text.matchAll(patternOf(wanted))) sum += 1;
      return sum;
    },
    async search(wanted, most = MOST_HITS) {
      const hits: SearchHit[] = [];
      for await (const { name, text } of documents()) {
        for (const match of text.matchAll(patternOf(wanted))) {
          if (hits.length >= most) return hits;
          hits.push({ document: name, start: match.index, text: match[0] });
        }
      }
      return hits;
    },
  };
}

function patternOf(wanted: string | RegExp): RegExp {
  if (typeof wanted === 'string') return new RegExp(wanted.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'g');
  return wanted.global ? wanted : new RegExp(wanted, `${wanted.flags}g`);
}
