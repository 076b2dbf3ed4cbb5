import type { Clock } from '../clock.ts';
import { type CompletionRun, startRun, type WorkspaceLease } from '../completion/completion-run.ts';
import type { Engine } from '../completion/engine.ts';
import type { CompletionRequest } from '../completion/request.ts';
import { CompletionError, type CompletionResult } from '../completion/result.ts';
import type { Workspace } from '../completion/workspace.ts';
import type { EventBus } from '../event/bus.ts';
import { sumUsage, type Usage } from '../ledger/index.ts';
import type { JsonValue, SnapshotInfo, VariableInfo } from '../repl/port.ts';
import type { RecordedModels } from '../resume/recorded-models.ts';
import type { Operated, Operator } from './operator.ts';
import type { BashResult, CellResult, ExecuteOptions, Session, SessionStatus } from './session.ts';
import type { SessionLog, SessionOperation } from './session-log.ts';
import { checkOpen, type SessionState, StateMachine } from './session-state.ts';
import { extended, type SessionTerms } from './session-terms.ts';
import { TurnQueue } from './turn-queue.ts';

/** What a live session is made of. */
export interface SessionParts {
  readonly id: string;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: SessionLog;
  readonly workspace: Workspace;
  /** Runs cells and bash between completions. */
  readonly operator: Operator;
  /** The models its own cells ask, for the log. */
  readonly models: RecordedModels;
  readonly terms: SessionTerms;
  /** Keeps the session's record, e.g. after it was extended. */
  readonly save: (status: SessionStatus) => Promise<void>;
  /** Lets go of what the session held besides its REPL. */
  readonly onEnd: () => void;
}

/** A session whose REPL is in this process. */
export class LiveSession implements Session {
  readonly id: string;
  readonly #parts: SessionParts;
  readonly #queue = new TurnQueue();
  readonly #state: StateMachine;
  readonly #usages: Usage[] = [];
  #expiresAt: number;
  #extensions: number;
  #variables: readonly VariableInfo[] = [];
  #snapshots: readonly SnapshotInfo[] = [];
  #expiryDue = false;
  #stopTimer: () => void = () => undefined;

  constructor(parts: SessionParts) {
    this.id = parts.id;
    this.#parts = parts;
    this.#expiresAt = parts.terms.expiresAt;
    this.#extensions = parts.terms.extensions;
    this.#state = new StateMachine('initializing', (state) =>
      parts.events.emit({ type: 'session.state', sessionId: parts.id, state, expiresAt: iso(this.#expiresAt) }),
    );
  }

  /** The REPL is as it should be: the session can be used, and its time runs. */
  async start(): Promise<void> {
    await this.#look();
    this.#state.to('ready');
    this.#arm();
  }

  status(): SessionStatus {
    const { operator, terms } = this.#parts;
    return {
      id: this.id,
      state: this.#state.state,
      createdAt: iso(terms.createdAt),
      expiresAt: iso(this.#expiresAt),
      extensions: this.#extensions,
      usage: sumUsage([operator.usage(), ...this.#usages]),
      variables: this.#variables,
      snapshots: this.#snapshots,
      commands: operator.commands,
    };
  }

  completion<T = string>(request: CompletionRequest<T>): CompletionRun<T> {
    const { engine, terms } = this.#parts;
    const { signal, repl: _, ...rest } = request;
    const limits = { ...terms.limits, ...request.limits };
    const tools = request.tools ?? terms.tools;
    return startRun<T>({
      engine,
      request: { ...rest, limits, tools },
      signal,
      lease: (runId, hardSignal) => this.#lease(runId, hardSignal),
    });
  }

  execute(code: string, options: ExecuteOptions = {}): Promise<CellResult> {
    const { operator, models } = this.#parts;
    return this.#operate({ op: 'execute', code, models }, () => this.#logEnd(operator.execute(code, options)));
  }

  bash(command: string, options: ExecuteOptions = {}): Promise<BashResult> {
    return this.#operate({ op: 'bash', command }, () => this.#logEnd(this.#parts.operator.bash(command, options)));
  }

  setVariable(name: string, value: JsonValue): Promise<void> {
    return this.#operate({ op: 'set', name, value }, () => this.#repl.setVariable(name, value));
  }

  getVariable(name: string): Promise<JsonValue> {
    return this.#operate(undefined, () => this.#repl.getVariable(name));
  }

  variables(): Promise<readonly VariableInfo[]> {
    return this.#operate(undefined, () => this.#repl.variables());
  }

  snapshot(name: string): Promise<SnapshotInfo> {
    return this.#operate({ op: 'snapshot', name }, async () => {
      const info = await this.#repl.snapshot(name);
      this.#parts.events.emit({ type: 'snapshot.created', name, bytes: info.bytes });
      return info;
    });
  }

  rollback(name: string): Promise<void> {
    return this.#operate({ op: 'rollback', name }, async () => {
      await this.#repl.rollback(name);
      this.#parts.events.emit({ type: 'snapshot.restored', name });
    });
  }

  snapshots(): Promise<readonly SnapshotInfo[]> {
    return this.#operate(undefined, () => this.#repl.snapshots());
  }

  deleteSnapshot(name: string): Promise<void> {
    return this.#operate({ op: 'delete-snapshot', name }, async () => {
      await this.#repl.deleteSnapshot(name);
      this.#parts.events.emit({ type: 'snapshot.deleted', name });
    });
  }

  async extend(): Promise<SessionStatus> {
    checkOpen(this.id, this.#state.state);
    const { terms, events } = this.#parts;
    const longer = extended(this.id, { expiresAt: this.#expiresAt, extensions: this.#extensions }, terms);
    this.#extensions = longer.extensions;
    this.#expiresAt = longer.expiresAt;
    this.#arm();
    events.emit({
      type: 'session.extended',
      sessionId: this.id,
      state: this.#state.state,
      expiresAt: iso(this.#expiresAt),
    });
    await this.#parts.save(this.status());
    return this.status();
  }

  async close(): Promise<void> {
    await this.#end('terminated');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Frees the REPL and keeps the session: another process, or this one, can open it again. */
  async detach(): Promise<void> {
    this.#stopTimer();
    await this.#queue.run(() => this.#parts.workspace.close());
    await this.#parts.save(this.status());
    this.#parts.onEnd();
  }

  /** What it is made of, for whoever brings it back. */
  get parts(): SessionParts {
    return this.#parts;
  }

  /** Does an operation again that the session's log holds. */
  async replay(work: () => Promise<unknown>): Promise<void> {
    await this.#queue.run(async () => {
      // What failed then fails again, and changes as little.
      await work().catch(() => undefined);
    });
  }

  /** Counts what a completion of an earlier process used. */
  addUsage(usage: Usage): void {
    this.#usages.push(usage);
  }

  get #repl(): Workspace['repl'] {
    return this.#parts.workspace.repl;
  }

  async #logEnd<T>(work: Promise<Operated<T>>): Promise<T> {
    const { result, end } = await work;
    await this.#parts.log.ended(end);
    return result;
  }

  /** Does one thing in its turn; `operation` is logged first when it changes the REPL. */
  async #operate<T>(operation: SessionOperation | undefined, work: () => Promise<T>): Promise<T> {
    checkOpen(this.id, this.#state.state);
    return await this.#queue.run(async () => {
      this.#begin();
      try {
        if (operation !== undefined) await this.#parts.log.append(operation);
        return await work();
      } finally {
        await this.#settle('ready');
      }
    });
  }

  async #lease(runId: string, signal: AbortSignal): Promise<WorkspaceLease> {
    checkOpen(this.id, this.#state.state);
    const leave = await this.#queue.enter(signal);
    try {
      this.#begin();
      await this.#parts.log.append({ op: 'completion', runId });
    } catch (error) {
      leave();
      throw error;
    }
    const release = (end: CompletionResult<unknown> | CompletionError | undefined): void => {
      const result = end instanceof CompletionError ? end.result : end;
      if (result !== undefined) this.#usages.push(result.usage);
      const paused = end instanceof CompletionError && end.resumable;
      this.#settle(paused ? 'paused' : 'ready').finally(leave);
    };
    return { workspace: this.#parts.workspace, sessionId: this.id, release };
  }

  #begin(): void {
    checkOpen(this.id, this.#state.state);
    this.#state.to('executing');
  }

  async #settle(state: SessionState): Promise<void> {
    await this.#look();
    this.#state.to(state);
    if (this.#expiryDue) await this.#expire();
  }

  /** Variables and snapshots for `status`, which does not ask the REPL. */
  async #look(): Promise<void> {
    try {
      this.#variables = await this.#repl.variables();
      this.#snapshots = await this.#repl.snapshots();
    } catch {
      // A REPL that was lost for good: the next command says so.
    }
  }

  #arm(): void {
    this.#stopTimer();
    const { clock } = this.#parts;
    this.#stopTimer = clock.schedule(Math.max(0, this.#expiresAt - clock.now()), () => this.#onTime());
  }

  /** What runs may finish; then the session expires. */
  #onTime(): void {
    if (this.#parts.clock.now() < this.#expiresAt) {
      this.#arm();
      return;
    }
    this.#expiryDue = true;
    if (!this.#queue.busy) this.#queue.run(() => this.#expire()).catch(() => undefined);
  }

  async #expire(): Promise<void> {
    if (this.#state.ended) return;
    await this.#finish('expired');
  }

  async #end(state: 'terminated' | 'expired'): Promise<void> {
    if (this.#state.ended) return;
    await this.#queue.run(async () => {
      if (!this.#state.ended) await this.#finish(state);
    });
  }

  async #finish(state: 'terminated' | 'expired'): Promise<void> {
    const { events, workspace, save, onEnd } = this.#parts;
    this.#stopTimer();
    this.#state.to(state);
    await workspace.close();
    events.emit({ type: state === 'expired' ? 'session.expired' : 'session.closed', sessionId: this.id, state });
    await save(this.status());
    await events.flush();
    events.close();
    onEnd();
  }
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
