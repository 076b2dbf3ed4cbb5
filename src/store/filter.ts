import type { RunFilter, RunRecord } from './run-record.ts';
import type { SessionFilter, SessionRecord } from './session-record.ts';

/** Records a list gives unless the filter says otherwise. */
export const DEFAULT_LIST_LIMIT = 100;

/** The runs a filter selects, newest first. */
export function selectRuns(records: Iterable<RunRecord>, filter: RunFilter = {}): readonly RunRecord[] {
  const { sessionId, parentRunId, traceId, since, limit = DEFAULT_LIST_LIMIT } = filter;
  const statuses = listOf(filter.status);
  const text = filter.text?.toLowerCase();
  return [...records]
    .filter(
      (run) =>
        (statuses === undefined || statuses.includes(run.status)) &&
        (sessionId === undefined || run.sessionId === sessionId) &&
        (parentRunId === undefined || run.parentRunId === parentRunId) &&
        (traceId === undefined || run.traceId === traceId) &&
        (filter.rootsOnly !== true || run.parentRunId === undefined) &&
        (since === undefined || run.createdAt >= since) &&
        (text === undefined || run.request.query.toLowerCase().includes(text)),
    )
    .sort(newestFirst)
    .slice(0, limit);
}

/** The sessions a filter selects, newest first. */
export function selectSessions(records: Iterable<SessionRecord>, filter: SessionFilter = {}): readonly SessionRecord[] {
  const states = listOf(filter.state);
  const { expiredAt, limit = DEFAULT_LIST_LIMIT } = filter;
  return [...records]
    .filter(
      (session) =>
        (states === undefined || states.includes(session.state)) &&
        (expiredAt === undefined || session.expiresAt <= expiredAt),
    )
    .sort(newestFirst)
    .slice(0, limit);
}

function listOf<T extends string>(value: T | readonly T[] | undefined): readonly T[] | undefined {
  return typeof value === 'string' ? [value] : value;
}

interface Dated {
  readonly id: string;
  readonly createdAt: string;
}

function newestFirst(a: Dated, b: Dated): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}
