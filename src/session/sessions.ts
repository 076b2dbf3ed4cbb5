import type { Clock } from '../clock.ts';
import type { Engine } from '../completion/engine.ts';
import { openFrame } from '../completion/frame.ts';
import { prepareRun } from '../completion/prepare-run.ts';
import { openWorkspace } from '../completion/workspace.ts';
import type { ContextInput } from '../context/index.ts';
import { RlmError } from '../errors.ts';
import { createJournal, type Journal, openJournal } from '../journal/index.ts';
import type { JsonValue } from '../repl/port.ts';
import type { ReplChoice } from '../repl/select.ts';
import { loadStored, storeContexts } from '../resume/stored-context.ts';
import type { SessionRecord, Store, StoredContext, StoreLock } from '../store/index.ts';
import { LiveSession } from './live-session.ts';
import { Operator } from './operator.ts';
import { replaySession } from './replay-session.ts';
import type { Session, SessionOptions, SessionStatus } from './session.ts';
import { sessionLog } from './session-log.ts';
import { checkOpen } from './session-state.ts';
import { type SessionTerms, termsOf } from './session-terms.ts';

/** What the sessions of an `Rlm` need of it. */
export interface SessionsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly engineFor: (repl: ReplChoice | undefined) => Engine;
}

/** What a session's record holds besides its state. */
interface Kept {
  readonly contexts: readonly StoredContext[];
  readonly backend: string;
  readonly limits: SessionTerms['limits'];
  readonly extensionMs: number;
  readonly maxExtensions: number;
}

/** How a session is built, new or from its record. */
interface Build {
  readonly id: string;
  readonly engine: Engine;
  readonly terms: SessionTerms;
  readonly context: ContextInput | undefined;
  readonly journal: Journal;
  readonly lock: StoreLock;
}

const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** Creates sessions, brings stored ones back, and ends those whose time is over. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #live = new Map<string, LiveSession>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** @throws RlmError for options that cannot be right, `isolation-unavailable`, `repl-failure` */
  async create(options: SessionOptions = {}): Promise<Session> {
    const { clock, store } = this.#options;
    await this.#reap();
    const engine = this.#options.engineFor(options.repl);
    const id = engine.newId();
    const terms = termsOf(options, clock.now());
    const lock = await this.#lock(id);
    const journal = createJournal({ journalId: id, store, clock });
    const session = await this.#build({ id, engine, terms, context: options.context, journal, lock });
    await session.start();
    return session;
  }

  /** @throws RlmError `session-not-found`, `session-closed`, `session-expired`, `session-locked` */
  async open(id: string): Promise<Session> {
    const live = this.#live.get(id);
    if (live !== undefined) return live;
    const { store, clock } = this.#options;
    await this.#reap();
    const record = ULID.test(id) ? await store.sessions.get(id) : undefined;
    if (record === undefined) throw notFound(id, store);
    checkOpen(id, record.state);
    const lock = await this.#lock(id);
    const kept = record.more as unknown as Kept;
    const engine = this.#options.engineFor(kept.backend as ReplChoice);
    const journal = await openJournal({ journalId: id, store, clock });
    const context = await loadStored(kept.contexts, store);
    const session = await this.#build({ id, engine, terms: termsFrom(record, kept), context, journal, lock });
    await replaySession(session, { ...this.#options, engine });
    await session.start();
    return session;
  }

  /** Frees all REPLs; durable sessions can be opened again. */
  async detachAll(): Promise<void> {
    await Promise.allSettled([...this.#live.values()].map((session) => session.detach()));
  }

  async #build({ id, engine, terms, context, journal, lock }: Build): Promise<LiveSession> {
    const { store, clock } = this.#options;
    const identity = { runId: id, parentRunId: undefined, traceId: id };
    const events = engine.openEvents(identity, { tail: await store.events.tail(id) });
    // The session's own time is its lifetime; its commands have no deadline of their own beside cellTimeoutMs.
    const limits = { ...terms.limits, maxDurationMs: Number.POSITIVE_INFINITY };
    const frame = openFrame({ engine, limits, events, parent: undefined, signal: undefined });
    const request = { query: `session ${id}`, context, tools: terms.tools };
    try {
      const prepared = await prepareRun({
        engine,
        request,
        identity,
        events,
        parent: undefined,
        frame,
        journal: journal.root,
      });
      const { run } = prepared;
      const workspace = await openWorkspace((host) =>
        engine.openRepl({ host, limits: run.limits, signal: run.stop.hardSignal }),
      );
      const operator = new Operator({ engine, identity, prepared, workspace });
      await operator.bind();
      const { backend } = workspace.repl.info;
      const kept: Kept = {
        contexts: await storeContexts(run.contexts, store, id),
        backend,
        limits: terms.limits,
        extensionMs: terms.extensionMs,
        maxExtensions: terms.maxExtensions,
      };
      const onEnd = (): void => {
        this.#live.delete(id);
        frame.ledger.close();
        lock.release();
      };
      const save = async (status: SessionStatus): Promise<void> => {
        await store.sessions.put(recordOf(status, kept, clock.now()));
      };
      const log = sessionLog(store, id);
      const session = new LiveSession({ id, engine, clock, events, log, workspace, operator, terms, save, onEnd });
      this.#live.set(id, session);
      await save({ ...session.status(), state: 'ready' });
      events.emit({
        type: journal.recovered.steps > 0 ? 'session.opened' : 'session.created',
        sessionId: id,
        state: 'initializing',
        expiresAt: new Date(terms.expiresAt).toISOString(),
      });
      return session;
    } catch (error) {
      frame.ledger.close();
      lock.release();
      throw error;
    }
  }

  async #lock(id: string): Promise<StoreLock> {
    const result = await this.#options.store.lock(`session ${id}`, `process ${process.pid}`);
    if (result.ok) return result.lock;
    throw new RlmError({
      code: 'session-locked',
      message: `Session ${id} is in use by ${result.heldBy}: close it there first.`,
      userAction: true,
      data: { id, holder: result.heldBy },
    });
  }

  /** Ends stored sessions whose time is over and whose process is gone; live ones have a timer. */
  async #reap(): Promise<void> {
    const { store, clock } = this.#options;
    const expired = await store.sessions.list({
      expiredAt: new Date(clock.now()).toISOString(),
      state: ['initializing', 'ready', 'executing', 'paused'],
    });
    for (const record of expired) {
      if (this.#live.has(record.id)) continue;
      await store.sessions.put({ ...record, state: 'expired', updatedAt: new Date(clock.now()).toISOString() });
      await store.blobs.release(record.id);
    }
  }
}

function termsFrom(record: SessionRecord, kept: Kept): SessionTerms {
  return {
    createdAt: Date.parse(record.createdAt),
    expiresAt: Date.parse(record.expiresAt),
    extensions: record.extensions,
    extensionMs: kept.extensionMs,
    maxExtensions: kept.maxExtensions,
    limits: kept.limits,
    tools: undefined,
  };
}

function recordOf(status: SessionStatus, kept: Kept, now: number): SessionRecord {
  return {
    id: status.id,
    // A session whose process died while it worked is as ready as any: what was under way is in its log.
    state: status.state === 'executing' || status.state === 'initializing' ? 'ready' : status.state,
    createdAt: status.createdAt,
    updatedAt: new Date(now).toISOString(),
    expiresAt: status.expiresAt,
    extensions: status.extensions,
    more: kept as unknown as JsonValue,
  };
}

function notFound(id: string, store: Store): RlmError {
  return new RlmError({
    code: 'session-not-found',
    message: `There is no session ${id} in the store (${store.location}).`,
    userAction: true,
    data: { id },
  });
}
