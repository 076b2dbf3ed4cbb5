import { systemClock } from '../../clock.ts';
import { RlmError } from '../../errors.ts';
import type { CompletionRequest } from '../../run/run-handle.ts';
import type { Session, SessionOptions, SessionStatus } from '../../session/session.ts';
import { type StoredSession, storedSession } from '../../session/stored-session.ts';
import type { Client } from '../access.ts';
import { PAGE_ITEMS } from '../limits.ts';
import { maySee, ownerOf } from '../run-desk.ts';
import type { ServerConfig } from '../server-options.ts';

/** The sessions that clients opened: each sees its own only. */
export class SessionDesk {
  readonly #config: ServerConfig;
  /** Sessions whose REPL is in this process: their records lag behind. */
  readonly #open = new Map<string, Session>();

  constructor(config: ServerConfig) {
    this.#config = config;
  }

  async create(options: SessionOptions, client: Client): Promise<Session> {
    return this.#kept(await this.#config.rlm.createSession({ ...options, owner: ownerOf(client, true) }));
  }

  /** A session's run is not resumed: its variables are those of the session. */
  owned(request: CompletionRequest<unknown>, client: Client): CompletionRequest<unknown> {
    return { ...request, owner: ownerOf(client, false) };
  }

  /** The session itself; one that another process left is brought back. @throws RlmError `session-not-found`, … */
  async open(id: string, client: Client): Promise<Session> {
    await this.stored(id, client);
    return this.#kept(await this.#config.rlm.openSession(id));
  }

  /** The state of a session that the client may see. @throws RlmError `session-not-found` */
  async status(id: string, client: Client): Promise<SessionStatus | StoredSession> {
    const stored = await this.stored(id, client);
    return this.#open.get(id)?.status() ?? stored;
  }

  /** The record of a session that the client may see. @throws RlmError `session-not-found` */
  async stored(id: string, client: Client): Promise<StoredSession> {
    const record = await this.#config.store.sessions.get(id);
    const found = record === undefined ? undefined : storedSession(record, systemClock.now());
    // The same words for a session of another key: nothing says that it exists.
    if (found !== undefined && maySee(client, found.owner)) return found;
    throw new RlmError({
      code: 'session-not-found',
      message: `There is no session ${JSON.stringify(id.slice(0, 64))} of this key.`,
      userAction: true,
      data: { id: id.slice(0, 64) },
    });
  }

  async list(client: Client): Promise<readonly StoredSession[]> {
    const { store } = this.#config;
    const records = await store.sessions.list({ limit: Number.MAX_SAFE_INTEGER });
    const all = records.map((record) => storedSession(record, systemClock.now()));
    return all.filter(({ owner }) => maySee(client, owner)).slice(0, PAGE_ITEMS);
  }

  async extend(id: string, client: Client): Promise<SessionStatus> {
    const session = await this.open(id, client);
    return await session.extend();
  }

  /** Forgets those whose time is over. */
  #kept(session: Session): Session {
    for (const [id, open] of this.#open) if (open.status().state === 'expired') this.#open.delete(id);
    this.#open.set(session.id, session);
    return session;
  }

  /** Ends it for good. One that has ended already stays as it is. */
  async end(id: string, client: Client): Promise<StoredSession> {
    const { state } = await this.stored(id, client);
    if (state !== 'terminated' && state !== 'expired') {
      const session = await this.#config.rlm.openSession(id);
      await session.close();
    }
    this.#open.delete(id);
    return await this.stored(id, client);
  }
}
