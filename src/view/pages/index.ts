/**
 * A run in pieces that a page can take. The server and an exported file, in the browser, run the same code.
 *
 * @module
 */
import type { RunDocument } from '../run-document.ts';
import { callPage } from './call-pages.ts';
import { indexRun } from './index-run.ts';
import { overview, runPage } from './overview.ts';
import type { CallLine, Matches, Overview, Page, RunLine, TurnView } from './page-types.ts';
import { search } from './search.ts';
import { textOf } from './texts.ts';
import { turnPage } from './turn-pages.ts';

export type * from './page-types.ts';

/** The pieces of one run. */
export interface RunPages {
  overview(): Overview;
  runs(from: number): Page<RunLine>;
  calls(from: number): Page<CallLine>;
  /** Undefined where the tree has no such run. */
  turns(runId: string, from: number): Page<TurnView> | undefined;
  /** Undefined where there is no such text. */
  text(ref: string): string | undefined;
  search(words: string, pause: () => Promise<void> | undefined): Promise<Matches>;
}

/** Makes the pieces of a run. */
export function runPages(document: RunDocument): RunPages {
  const index = indexRun(document);
  return {
    overview: () => overview(index),
    runs: (from) => runPage(index, from),
    calls: (from) => callPage(index, from),
    turns(runId, from) {
      const entry = index.runs.get(runId);
      return entry === undefined ? undefined : turnPage(index, entry.node, from);
    },
    text: (ref) => textOf(index, ref),
    search: (words, pause) => search(index, words, pause),
  };
}
