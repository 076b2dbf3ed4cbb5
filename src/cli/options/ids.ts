import { RlmError } from '../../errors.ts';
import type { RunStatus, Store } from '../../store/index.ts';
import { shownFolder } from './store.ts';

/** The word for the newest run or session. */
const LAST = 'last';
/** Characters of a whole id, a ULID. */
const ID_CHARS = 26;
/** Records that are looked through. */
const MOST_RECORDS = 1_000_000;
/** Ids that an error names. */
const MOST_NAMED = 5;

/**
 * The id of a run: as it is, from its unique beginning, or `last`.
 *
 * @param statuses of runs that `last` can mean. Default: all
 * @throws RlmError `run-not-found`, `invalid-option` for a beginning of several ids
 */
export async function runIdOf(text: string, store: Store, statuses?: readonly RunStatus[]): Promise<string> {
  if (text.length === ID_CHARS) return text;
  if (text === LAST) {
    const [newest] = await store.runs.list({ rootsOnly: true, limit: 1, ...(statuses && { status: statuses }) });
    if (newest !== undefined) return newest.id;
    throw notFound(
      'run',
      statuses === undefined ? 'There are no runs' : `No run is ${statuses.join(' or ')}`,
      text,
      store,
    );
  }
  const records = await store.runs.list({ limit: MOST_RECORDS });
  return onlyMatch(
    'run',
    records.map(({ id }) => id),
    text,
    store,
  );
}

/** The id of a session, in the same ways; `last` is the newest one that is open. @throws RlmError `session-not-found`, `invalid-option` */
export async function sessionIdOf(text: string, store: Store): Promise<string> {
  if (text.length === ID_CHARS) return text;
  const records = await store.sessions.list({ limit: MOST_RECORDS });
  if (text !== LAST)
    return onlyMatch(
      'session',
      records.map(({ id }) => id),
      text,
      store,
    );
  const newest = records.find(({ state }) => state !== 'expired' && state !== 'terminated');
  if (newest === undefined) throw notFound('session', 'There are no open sessions', text, store);
  return newest.id;
}

type Kind = 'run' | 'session';

function onlyMatch(kind: Kind, ids: readonly string[], text: string, store: Store): string {
  const matches = text === '' ? [] : ids.filter((id) => id.startsWith(text.toUpperCase()));
  const [only, another] = matches;
  if (only === undefined) throw notFound(kind, `There is no ${kind} ${text}`, text, store);
  if (another === undefined) return only;
  const more = matches.length > MOST_NAMED ? ', …' : '';
  throw new RlmError({
    code: 'invalid-option',
    message: `${matches.length} ${kind}s begin with ${text}: ${matches.slice(0, MOST_NAMED).join(', ')}${more}. Give more of the id.`,
    userAction: true,
    data: { id: text },
  });
}

function notFound(kind: Kind, what: string, text: string, store: Store): RlmError {
  const list = kind === 'run' ? 'fathom runs' : 'fathom session list';
  return new RlmError({
    code: kind === 'run' ? 'run-not-found' : 'session-not-found',
    message: `${what} in ${shownFolder(store.location)}: list ${kind}s with \`${list}\`.`,
    userAction: true,
    data: { id: text },
  });
}
