import { RlmError } from '../errors.ts';
import type { Session } from '../session/session.ts';
import { storedConfig } from '../session/stored-session.ts';
import { maySee } from './client-runs.ts';
import { EXTEND_BEFORE_MS, SHOWN_ID_CHARS } from './limits.ts';
import type { ToolCall } from './tool.ts';

/**
 * The session behind a handle of this client, which is extended while it is used.
 *
 * @throws RlmError `session-not-found`, `session-closed`, `session-expired`, `session-locked`
 */
export async function useHandle(handle: string, { config, client }: ToolCall): Promise<Session> {
  const record = await config.store.sessions.get(handle);
  if (record === undefined || !maySee(client, storedConfig(record).owner)) {
    throw new RlmError({
      code: 'session-not-found',
      message: `There is no handle ${JSON.stringify(handle.slice(0, SHOWN_ID_CHARS))} of this client: load returns handles.`,
      userAction: true,
      data: { handle: handle.slice(0, SHOWN_ID_CHARS), param: 'handle' },
    });
  }
  const session = await config.rlm.openSession(handle);
  await extendInTime(session);
  return session;
}

async function extendInTime(session: Session): Promise<void> {
  if (Date.parse(session.status().expiresAt) - Date.now() > EXTEND_BEFORE_MS) return;
  try {
    await session.extend();
  } catch (error) {
    // It has been extended as often as it can be: it is used as long as it lasts.
    if (!RlmError.isInstance(error) || error.code !== 'extension-limit') throw error;
  }
}
