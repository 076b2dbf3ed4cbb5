import type { SessionStatus } from '../../session/session.ts';
import type { StoredSession } from '../../session/stored-session.ts';

/** The object `--json` prints of a session that is open here. */
export function statusJson(status: SessionStatus): Readonly<Record<string, unknown>> {
  return { ...status };
}

/** The object `--json` prints of a stored session: the same, as of when its REPL was last let go of. */
export function storedJson(stored: StoredSession): Readonly<Record<string, unknown>> {
  const { id, state, createdAt, updatedAt, expiresAt, extensions, maxExtensions, backend, isolation, models } = stored;
  return {
    ...{ id, state, createdAt, updatedAt, expiresAt, extensions, maxExtensions, backend, isolation },
    model: models.rootModel,
    subModels: models.subModels,
    ...stored.last,
  };
}
