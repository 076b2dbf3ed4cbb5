import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../clock.ts';
import { listModels } from '../../model/model-list.ts';
import { storedSession } from '../../session/stored-session.ts';
import type { Store } from '../../store/index.ts';
import { DEFAULT_STORE, openToLook } from '../options/store.ts';
import { onOneLine } from '../screen/terminal-text.ts';
import type { Candidate, Sources } from './candidates.ts';

/** Runs and sessions that are offered: the newest, as many as fit on a screen. */
const MOST_IDS = 30;
/** Characters of a description. */
const DESCRIPTION_CHARS = 60;

/** The words of this machine. A store that is not there, or cannot be read, has none: a key press reports no error. */
export const SOURCES: Sources = {
  models: async () => listModels().map(({ id }) => ({ word: id, description: '' })),
  runs: async (folder) =>
    await inStore(folder, async ({ runs }) => {
      const records = await runs.list({ rootsOnly: true, limit: MOST_IDS });
      return records.map(({ id, status, request: { query } }) => candidate(id, `${status}: ${query}`));
    }),
  sessions: async (folder) =>
    await inStore(folder, async ({ sessions }) => {
      const records = await sessions.list({ limit: MOST_IDS });
      return records
        .map((record) => storedSession(record, systemClock.now()))
        .filter(({ state }) => state !== 'expired' && state !== 'terminated')
        .map(({ id, last }) =>
          candidate(id, (last?.variables ?? []).map(({ name }) => name).join(', ') || 'no variables yet'),
        );
    }),
};

function candidate(word: string, description: string): Candidate {
  return { word, description: onOneLine(description, DESCRIPTION_CHARS) };
}

async function inStore(
  folder: string = DEFAULT_STORE,
  list: (store: Store) => Promise<readonly Candidate[]>,
): Promise<readonly Candidate[]> {
  if (!existsSync(join(folder, 'store.sqlite'))) return [];
  try {
    await using keeping = openToLook(folder);
    const found = await list(keeping.store);
    return found.length === 0 ? found : [{ word: 'last', description: 'the newest' }, ...found];
  } catch {
    return [];
  }
}
