import { defined } from '../defined.ts';
import type { RunFilter, RunRecord, Store } from '../store/index.ts';

/** The runs to list. */
export interface RunsOfClient extends Pick<RunFilter, 'status'> {
  /** At most so many. */
  readonly count: number;
  /** Whether the client may see a run. */
  readonly mine: (run: RunRecord) => boolean;
}

/**
 * The newest root runs of a client. A store knows no owners, so it is asked for more until there are enough: a client finds its
 * runs behind any number of others, and most lists take one short question.
 */
export async function newestRuns(store: Pick<Store, 'runs'>, asked: RunsOfClient): Promise<readonly RunRecord[]> {
  const { count, mine, status } = asked;
  for (let limit = 4 * count; ; limit *= 4) {
    const page = await store.runs.list({ rootsOnly: true, limit, ...defined({ status }) });
    const found = page.filter(mine);
    if (found.length >= count || page.length < limit) return found.slice(0, count);
  }
}
