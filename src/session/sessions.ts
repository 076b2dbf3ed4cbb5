import type { ReplPlace } from '../admission/repl-places.ts';
import { invalidOption, isObject, kindOf } from '../argument-checks.ts';
import type { Clock } from '../clock.ts';
import type { ContextInput } from '../context/index.ts';
import { defined } from '../defined.ts';
import type { Engine, Run } from '../engine/run.ts';
import { openRunWorkspace } from '../engine/workspace.ts';
import { createJournal, type Journal, openJournal } from '../journal/index.ts';
import { recordedLimits } from '../limits.ts';
import { checkOptionNames, type OptionNames } from '../option-names.ts';
import type { ReplChoice } from '../repl/select.ts';
import { recordModels } from '../resume/recorded-models.ts';
import { loadStored, storeContexts } from '../resume/stored-context.ts';
import { bookRecovered, openRun, prepareRun } from '../run/open-run.ts';
import type { SessionRecord, Store, StoreLock } from '../store/index.ts';
import { createToolbox, type ToolSet } from '../tools/toolbox.ts';
import { LiveSession } from './live-session.ts';
import { replaySession } from './replay-session.ts';
import type { OpenSessionOptions, Session, SessionOptions, SessionStatus } from './session.ts';
import { SessionCommands } from './session-commands.ts';
import { type SessionConfig, sessionConfig } from './session-config.ts';
import { SessionContexts } from './session-contexts.ts';
import { type LoggedOperation, type SessionLog, sessionLog } from './session-log.ts';
import { checkOpen, rlmClosed } from './session-state.ts';
import { mergeTools, NO_TOOLS, recordTools, restoredTools } from './session-tools.ts';
import { lockSession, reapStored, recordOf, type StoredConfig, sessionRecord, storedConfig } from './stored-session.ts';

/** The parts of an `Rlm` that its sessions need. */
export interface SessionsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly engineFor: (repl: ReplChoice | undefined) => Engine;
}

/** How a session is built, new or from its record. */
interface Build {
  readonly id: string;
  readonly engine: Engine;
  readonly config: SessionConfig;
  readonly context: ContextInput | undefined;
  readonly journal: Journal;
  readonly lock: StoreLock;
  /** The contents of its record, when it is restored. */
  readonly stored: StoredConfig | undefined;
}

/** A session that is built, and the run that pays for what its own cells ask. */
interface Built {
  readonly log: SessionLog;
  readonly session: LiveSession;
  readonly run: Run;
}

const SESSION_NAMES: OptionNames<SessionOptions> = {
  context: true,
  limits: true,
  tools: true,
  repl: true,
  lifetimeMs: true,
  extensionMs: true,
  maxExtensions: true,
  owner: true,
};

/** Creates sessions, restores stored ones, and ends those whose time is over. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #live = new Map<string, LiveSession>();
  /** Sessions that are being restored: a second call meanwhile gets the same one. */
  readonly #opening = new Map<string, Promise<Session>>();
  readonly #pending = new Set<Promise<Session>>();
  /** Fires when the `Rlm` is closed: sessions that wait for a REPL are refused then. */
  readonly #closing = new AbortController();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** @throws RlmError for options that cannot be right, `isolation-unavailable`, `repl-failure` */
  async create(options: SessionOptions = {}): Promise<Session> {
    this.#checkOpen();
    if (!isObject(options))
      throw invalidOption(`The options of a session have to be an object; this is ${kindOf(options)}`);
    checkOptionNames('createSession', options, SESSION_NAMES);
    return await this.#tracked(this.#create(options));
  }

  /** @throws RlmError `session-not-found`, `session-closed`, `session-expired`, `session-locked`, `context-invalid` */
  async open(id: string, options?: OpenSessionOptions): Promise<Session> {
    this.#checkOpen();
    checkOpenOptions(options);
    const live = this.#live.get(id);
    const here = this.#opening.get(id);
    if (here !== undefined) return await here;
    if (live !== undefined) return live;
    const opening = this.#tracked(this.#open(id, options ?? {}));
    this.#opening.set(id, opening);
    const done = (): unknown => this.#opening.delete(id);
    opening.then(done, done);
    return await opening;
  }

  /** Stops what runs and frees all REPLs; durable sessions can be opened again. Nothing is opened from then on. */
  async detachAll(): Promise<void> {
    this.#closing.abort(rlmClosed());
    await Promise.allSettled(this.#pending);
    await Promise.allSettled([...this.#live.values()].map((session) => session.detach()));
  }

  #tracked(session: Promise<Session>): Promise<Session> {
    this.#pending.add(session);
    const done = (): unknown => this.#pending.delete(session);
    session.then(done, done);
    return session;
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw rlmClosed();
  }

  async #create(options: SessionOptions): Promise<Session> {
    const { clock, store } = this.#options;
    await reapStored(this.#options);
    const engine = this.#options.engineFor(options.repl);
    const id = engine.newId();
    const config = sessionConfig(options, clock.now());
    const lock = await lockSession(id, store);
    const journal = createJournal({ journalId: id, store, clock });
    const parts = { id, engine, config, context: options.context, journal, lock, stored: undefined };
    const { session } = await this.#build(parts);
    await session.start();
    return session;
  }

  async #open(id: string, options: OpenSessionOptions): Promise<Session> {
    const { store } = this.#options;
    await reapStored(this.#options);
    checkOpen(id, (await sessionRecord(id, store)).state);
    const lock = await lockSession(id, store);
    try {
      // Another process may have worked in it, or ended it, before it was this one's.
      const record = await sessionRecord(id, store);
      checkOpen(id, record.state);
      return await this.#bringBack(record, options, lock);
    } catch (error) {
      await this.#live.get(id)?.abandon();
      lock.release();
      throw error;
    }
  }

  async #bringBack(record: SessionRecord, options: OpenSessionOptions, lock: StoreLock): Promise<Session> {
    const { store, clock } = this.#options;
    const { id } = record;
    const stored = storedConfig(record);
    const engine = this.#options.engineFor(stored.backend as ReplChoice);
    const operations = await sessionLog(store, id).read();
    const contexts = await contextsOf(stored, operations, { store, given: options });
    contexts.check(id);
    const journal = await openJournal({ journalId: id, store, clock });
    const context = await loadStored(stored.contexts, { store, ...contexts.access('') });
    const config = { ...recordedConfig(record, stored), tools: toolsFor(stored, options.tools, engine.defaults.tools) };
    const { session, run, log } = await this.#build({ id, engine, config, context, journal, lock, stored });
    await log.read();
    const tools = stored.tools ?? recordTools(createToolbox(config.tools));
    const replay = { store, clock, run, journal, log, contexts, tools, stored };
    await session.start(await replaySession(session, operations, replay));
    return session;
  }

  async #build({ id, engine, config, context, journal, lock, stored: before }: Build): Promise<Built> {
    const { store, clock } = this.#options;
    const events = engine.openEvents({ runId: id, traceId: id, tail: await store.events.tail(id) });
    // The session's own time is its lifetime; its commands have no deadline of their own beside cellTimeoutMs.
    const limits = { ...config.limits, maxDurationMs: Number.POSITIVE_INFINITY };
    let place: ReplPlace | undefined;
    const { root, recovered } = journal;
    const open = openRun({
      engine,
      id,
      kind: 'session' as const,
      events,
      journal: root,
      recovered,
      signal: undefined,
      sessionId: id,
      request: { query: '', limits, ...defined({ context, tools: config.tools }) },
    });
    try {
      const run = await prepareRun(open);
      // Costs of its cells in earlier processes count against its limits.
      await bookRecovered(run);
      place = await engine.places.enterSession({
        signal: this.#closing.signal,
        onQueued: async (position) => run.emit({ type: 'run.queued', position, maxRepls: engine.places.maxRepls }),
      });
      const workspace = await openRunWorkspace(run);
      const commands = new SessionCommands({ run, workspace });
      await commands.bind();
      const { backend, isolation } = workspace.repl.info;
      const stored: StoredConfig = {
        models: before?.models ?? recordModels(run.models, run.limits.maxDepth),
        contexts: before?.contexts ?? (await storeContexts(run.contexts, { store, owner: id })),
        tools: mergeTools(before?.tools ?? NO_TOOLS, recordTools(run.toolbox)),
        ownTools: before?.ownTools ?? config.tools !== undefined,
        backend,
        isolation,
        limits: config.limits,
        extensionMs: config.extensionMs,
        maxExtensions: config.maxExtensions,
        ...(config.owner !== undefined && { owner: config.owner }),
      };
      const onEnd = (): void => {
        this.#live.delete(id);
        open.ledger.close();
        place?.leave();
        lock.release();
      };
      const log = sessionLog(store, id);
      const save = async (status: SessionStatus, lastOperation: number): Promise<void> => {
        await store.sessions.put(recordOf(status, { ...stored, lastOperation }, clock.now()));
        if (status.state === 'terminated' || status.state === 'expired') await store.blobs.release(id);
      };
      const parts = { id, engine, clock, events, log, workspace, commands, config, save, onEnd };
      const session = new LiveSession({ ...parts, models: recordModels(run.models, run.limits.maxDepth) });
      this.#live.set(id, session);
      // One that is restored has its record, which says more than an empty REPL could.
      if (before === undefined) await save({ ...session.status(), state: 'ready' }, 0);
      events.emit({
        type: before !== undefined ? 'session.opened' : 'session.created',
        sessionId: id,
        state: 'initializing',
        expiresAt: new Date(config.expiresAt).toISOString(),
      });
      return { session, run, log };
    } catch (error) {
      open.ledger.close();
      place?.leave();
      lock.release();
      throw error;
    }
  }
}

/**
 * Invalid tools are reported before anything is opened. @throws RlmError `invalid-option`, `invalid-tool-name`,
 * `reserved-name`
 */
function checkOpenOptions(options: OpenSessionOptions | undefined): void {
  const given: unknown = options;
  if (given !== undefined && !isObject(given)) {
    throw invalidOption(`The options of openSession must be an object; this is ${kindOf(given)}`);
  }
  checkOptionNames<OpenSessionOptions>('openSession', given ?? {}, { tools: true, context: true, resolveFile: true });
  createToolbox(options?.tools);
}

/** The contexts a session has had, with what was given for them. */
async function contextsOf(
  stored: StoredConfig,
  operations: readonly LoggedOperation[],
  { store, given }: { readonly store: Store; readonly given: OpenSessionOptions },
): Promise<SessionContexts> {
  const contexts = new SessionContexts(given);
  contexts.add('', stored.contexts);
  for (const { operation } of operations) {
    if (operation.op !== 'completion') continue;
    const run = await store.runs.get(operation.runId);
    if (run !== undefined) contexts.add(operation.runId, run.request.contexts);
  }
  return contexts;
}

/**
 * The tools of a session that is restored: those the caller gave, then those of its `Rlm`, and stand-ins for the rest.
 */
function toolsFor(
  { tools = NO_TOOLS, ownTools = false }: StoredConfig,
  given: ToolSet = {},
  defaults: ToolSet,
): ToolSet {
  const recorded = new Set([...tools.bindings.map(({ name }) => name), ...Object.keys(tools.values)]);
  const own = Object.entries(defaults).filter(([name]) => !ownTools || recorded.has(name));
  return restoredTools(tools, { ...Object.fromEntries(own), ...given });
}

function recordedConfig(record: SessionRecord, stored: StoredConfig): SessionConfig {
  return {
    createdAt: Date.parse(record.createdAt),
    expiresAt: Date.parse(record.expiresAt),
    extensions: record.extensions,
    extensionMs: stored.extensionMs,
    maxExtensions: stored.maxExtensions,
    limits: recordedLimits(stored.limits),
    tools: undefined,
    owner: stored.owner,
  };
}
