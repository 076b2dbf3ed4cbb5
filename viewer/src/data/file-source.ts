import { runPages } from '../../../src/view/pages/index.ts';
import type { RunDocument } from '../../../src/view/run-document.ts';
import { type Source, SourceError } from './source.ts';

/** Milliseconds of work after which the page may draw. */
const SLICE_MS = 12;

/** The run that an exported file holds. */
export function fileSource(document: RunDocument): Source {
  const pages = runPages(document);
  const { facts } = document;
  const cannot = (): Promise<never> => Promise.reject(new SourceError('A file cannot do this.', 405));
  return {
    kind: 'file',
    only: facts.id,
    list: () => Promise.resolve({ items: [], more: false }),
    overview: async () => pages.overview(),
    runs: async (_, from) => pages.runs(from),
    turns: async (_, run, from) => found(pages.turns(run, from)),
    calls: async (_, from) => pages.calls(from),
    text: async (_, ref) => found(pages.text(ref)),
    search: (_, words, signal) => pages.search(words, slices(signal)),
    follow: () => () => undefined,
    act: cannot,
  };
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new SourceError('This file has no such part.', 404);
  return value;
}

/** Lets the page draw during a search, and ends one that is no longer wanted. */
function slices(signal: AbortSignal): () => Promise<void> | undefined {
  let began = performance.now();
  return () => {
    signal.throwIfAborted();
    if (performance.now() - began < SLICE_MS) return undefined;
    return new Promise((resolve) =>
      setTimeout(() => {
        began = performance.now();
        resolve();
      }),
    );
  };
}
