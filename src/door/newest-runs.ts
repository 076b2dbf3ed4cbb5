import type { RunFilter, RunRecord, Store } from '../store/index.ts';

/**
 * The newest root runs of a client. A store knows no owners, so it is asked for more until there are enough: a client finds its
 * runs behind any number of others, and most lists take one short question.
 */
export async function newestRuns(
  store: Pick<Store, 'runs'>,
  {
    count,
    mine,
    status,
  }: { readonly count: number; readonly mine: (run: RunRecord) => boolean } & Pick<RunFilter, 'status'>,
): Promise<readonly RunRecord[]> {
  for (let limit = 4 * count; ; limit *= 4) {
    const page = await store.runs.list({ rootsOnly: true, limit, ...(status !== undefined && { status }) });
    const found = page.filter(mine);
    if (found.length >= count || page.length < limit) return found.slice(0, count);
  }
}
