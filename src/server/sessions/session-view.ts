import type { SessionStatus } from '../../session/session.ts';
import type { StoredSession } from '../../session/stored-session.ts';
import type { JsonBody } from '../body.ts';

/** A session as clients see it, open or from its record. */
export function sessionView(session: SessionStatus | StoredSession): JsonBody {
  const { id, state, createdAt, expiresAt, extensions } = session;
  const { usage, variables, snapshots } =
    'last' in session && session.last !== undefined ? session.last : (session as Partial<SessionStatus>);
  return {
    ...{ id, object: 'session', state, created_at: createdAt, expires_at: expiresAt, extensions },
    ...{ variables: variables ?? [], snapshots: snapshots ?? [] },
    input_tokens: usage?.inputTokens ?? 0,
    output_tokens: usage?.outputTokens ?? 0,
    cost_usd: usage === undefined ? 0 : usage.costUsd,
  };
}
