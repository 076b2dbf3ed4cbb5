import { isObject } from '../argument-checks.ts';
import { systemClock } from '../clock.ts';
import { CompletionError, type CompletionResult } from '../engine/result.ts';
import type { Workspace } from '../engine/workspace.ts';
import { RlmError } from '../errors.ts';
import { sumUsage, type Usage } from '../ledger/index.ts';
import { givenLimits } from '../limits.ts';
import type { JsonValue, SnapshotInfo, VariableInfo } from '../repl/port.ts';
import {
  type CompletionRequest,
  type CompletionRun,
  givenRequest,
  startRun,
  type WorkspaceLease,
} from '../run/run-handle.ts';
import { createToolbox } from '../tools/toolbox.ts';
import { checkOptions, checkText, checkValue } from './check-arguments.ts';
import { Lifetime } from './lifetime.ts';
import { CLOSE_GRACE_MS } from './limits.ts';
import type { BashResult, CellResult, ExecuteOptions, Session, SessionDivergence, SessionStatus } from './session.ts';
import type { CommandOutcome } from './session-commands.ts';
import { isPlain, PLAIN_END, type SessionOperation } from './session-log.ts';
import type { SessionParts } from './session-parts.ts';
import { checkOpen, closedWhileBusy, letGo, notBegun, type SessionState, StateMachine } from './session-state.ts';
import { type RecordedTools, recordTools } from './session-tools.ts';
import { closedAs, whenSettled } from './settled-run.ts';
import { TurnQueue } from './turn-queue.ts';

interface LeaseRequest {
  readonly runId: string;
  readonly signal: AbortSignal;
  /** Those of the completion alone. */
  readonly tools: RecordedTools | undefined;
}

/** A session whose REPL is in this process. */
export class LiveSession implements Session {
  readonly id: string;
  readonly #parts: SessionParts;
  readonly #queue = new TurnQueue();
  readonly #state: StateMachine;
  readonly #usages: Usage[] = [];
  readonly #lifetime: Lifetime;
  #variables: readonly VariableInfo[] = [];
  /** Operations in the log when the variables were listed. */
  #looked = 0;
  #diverged: SessionDivergence | undefined;
  #snapshots: readonly SnapshotInfo[] = [];
  readonly #runs = new Set<CompletionRun<unknown>>();
  /** Stops what runs when the session is closed or let go of; its reason is the error of everything asked from then on. */
  readonly #stop = new AbortController();
  #closing: Promise<void> | undefined;
  #detached = false;

  constructor(parts: SessionParts) {
    this.id = parts.id;
    this.#parts = parts;
    const { id, clock, config } = parts;
    this.#lifetime = new Lifetime({ id, clock, config, onOver: () => this.#onOver() });
    this.#state = new StateMachine('initializing', (state) =>
      parts.events.emit({ type: 'session.state', sessionId: id, state, expiresAt: this.#lifetime.expiresAt }),
    );
  }

  /** The session can be used, and its time runs. @param diverged how bringing it back differed from its record */
  async start(diverged?: SessionDivergence): Promise<void> {
    this.#diverged = diverged;
    await this.#look();
    this.#state.to('ready');
    this.#lifetime.start();
  }

  status(): SessionStatus {
    const { commands, config } = this.#parts;
    return {
      id: this.id,
      state: this.#state.state,
      createdAt: new Date(config.createdAt).toISOString(),
      expiresAt: this.#lifetime.expiresAt,
      extensions: this.#lifetime.extensions,
      usage: sumUsage([commands.usage(), ...this.#usages]),
      variables: this.#variables,
      snapshots: this.#snapshots,
      commands: commands.executed,
      ...(this.#diverged !== undefined && { diverged: this.#diverged }),
    };
  }

  completion<T = string>(request: CompletionRequest<T>): CompletionRun<T> {
    const { engine, config } = this.#parts;
    const checked = givenRequest(request);
    const { signal, repl: _, ...rest } = checked.request;
    const given = rest.limits ?? {};
    const limits = isObject(given) ? { ...config.limits, ...givenLimits(given) } : given;
    const { tools: own } = rest;
    const tools = own ?? config.tools;
    let settled = Promise.resolve();
    const run = startRun<T>({
      engine,
      request: { ...rest, limits, tools },
      signal,
      problem: checked.problem,
      session: {
        sessionId: this.id,
        lease: async (runId, hardSignal) =>
          this.#lease({ runId, signal: hardSignal, tools: own && recordTools(createToolbox(own)) }, (settling) => {
            settled = settling;
          }),
      },
    });
    const whole = whenSettled(run, { settled: () => settled, failedAs: (error) => this.#closedAs(error) });
    this.#runs.add(whole);
    const done = (): unknown => this.#runs.delete(whole);
    whole.then(done, done);
    return whole;
  }

  async execute(code: string, options: ExecuteOptions = {}): Promise<CellResult> {
    const { commands, models } = this.#parts;
    checkText('code', code);
    return await this.#command({ op: 'execute', code, models }, options, (stoppable) =>
      commands.execute(code, stoppable),
    );
  }

  async bash(command: string, options: ExecuteOptions = {}): Promise<BashResult> {
    checkText('command', command);
    return await this.#command({ op: 'bash', command }, options, (stoppable) =>
      this.#parts.commands.bash(command, stoppable),
    );
  }

  async setVariable(name: string, value: JsonValue): Promise<void> {
    checkText('name', name);
    checkValue(name, value);
    await this.#operate({ op: 'set', name, value }, () => this.#repl.setVariable(name, value));
  }

  async getVariable(name: string): Promise<JsonValue> {
    checkText('name', name);
    return await this.#operate(undefined, () => this.#repl.getVariable(name));
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
    this.#checkOpen();
    this.#lifetime.extend();
    const { expiresAt } = this.#lifetime;
    const { state } = this.#state;
    this.#parts.events.emit({ type: 'session.extended', sessionId: this.id, state, expiresAt });
    await this.#parts.save(this.status(), this.#looked);
    return this.status();
  }

  async close(): Promise<void> {
    if (this.#detached) return;
    this.#closing ??= this.#close();
    await this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Stops what runs, frees the REPL and keeps the session: another process, or this one, can open it again. */
  async detach(): Promise<void> {
    if (this.#closing !== undefined) return await this.#closing;
    this.#detached = true;
    this.#lifetime.stop();
    this.#stop.abort(letGo(this.id));
    for (const run of this.#runs) run.cancel('the Rlm was closed');
    await this.#queue.run(async () => {
      if (this.#state.ended) return;
      await this.#parts.workspace.close();
      await this.#parts.save(this.status(), this.#looked);
      this.#parts.onEnd();
    });
  }

  /** Frees what a session holds that could not be brought back; its record stays as it was. */
  async abandon(): Promise<void> {
    this.#detached = true;
    this.#stop.abort(letGo(this.id));
    await this.#parts.workspace.close();
    this.#parts.onEnd();
  }

  /** Its parts, for the replay that restores it. */
  get parts(): SessionParts {
    return this.#parts;
  }

  /** Replays an operation of the session's log in its turn. */
  async replay(work: () => Promise<void>): Promise<void> {
    await this.#queue.run(work);
  }

  /** Counts what a completion of an earlier process used. */
  addUsage(usage: Usage): void {
    this.#usages.push(usage);
  }

  get #repl(): Workspace['repl'] {
    return this.#parts.workspace.repl;
  }

  /** Stops what runs and what waits, then ends the session; a cell that does not stop in time ends with its REPL. */
  async #close(): Promise<void> {
    this.#lifetime.stop();
    if (!this.#state.ended) this.#stop.abort(closedWhileBusy(this.id));
    for (const run of this.#runs) run.cancel('the session was closed');
    // A caller's clock may stand still; this promise is about real time.
    const unfree = systemClock.schedule(CLOSE_GRACE_MS, () => {
      this.#parts.workspace.close().catch(() => undefined); // `#finish` closes it again and reports the failure
    });
    try {
      await this.#queue.run(() => this.#finish('terminated'));
    } finally {
      unfree();
    }
  }

  /** An error of what runs; after `close()` stopped it, that it was closed. */
  #closedAs(error: unknown): unknown {
    const { signal } = this.#stop;
    return this.#closing !== undefined && signal.aborted ? closedAs(error, signal.reason as RlmError) : error;
  }

  #checkOpen(): void {
    checkOpen(this.id, this.#state.state);
    this.#stop.signal.throwIfAborted();
  }

  /** A cell or a bash command in its turn: logged before it is done, and its end after it. */
  async #command<T>(
    operation: SessionOperation,
    options: ExecuteOptions,
    work: (options: ExecuteOptions) => Promise<CommandOutcome<T>>,
  ): Promise<T> {
    checkOptions(options);
    const signals = [options.signal ?? [], this.#stop.signal].flat();
    return await this.#operate(
      operation,
      async () => {
        const { result, end } = await work({ ...options, signal: AbortSignal.any(signals) });
        await this.#parts.log.ended(end);
        if (this.#closing !== undefined && !end.ok) this.#stop.signal.throwIfAborted();
        return result;
      },
      options.signal,
    );
  }

  /** Does one thing in its turn; `operation` is logged first when it changes the REPL. */
  async #operate<T>(operation: SessionOperation | undefined, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#checkOpen();
    const leave = await this.#queue.enter(signal).catch((error: unknown) => {
      throw notBegun(error);
    });
    try {
      await this.#begin();
      try {
        if (operation === undefined) return await work();
        await this.#parts.log.append(operation);
        const result = await work();
        if (isPlain(operation)) await this.#parts.log.ended(PLAIN_END);
        return result;
      } catch (error) {
        await this.#failed(operation, error);
        throw this.#closedAs(error);
      } finally {
        await this.#settle('ready');
      }
    } finally {
      leave();
    }
  }

  /** Reports what a killed REPL lost, and records the failure of an operation that is no command. */
  async #failed(operation: SessionOperation | undefined, error: unknown): Promise<void> {
    this.#parts.commands.reportLoss(error);
    if (operation === undefined || !isPlain(operation) || !RlmError.isInstance(error)) return;
    await this.#parts.log.ended({ ...PLAIN_END, ok: false, errorType: error.code });
  }

  async #lease(
    { runId, signal, tools }: LeaseRequest,
    settling: (settled: Promise<void>) => void,
  ): Promise<WorkspaceLease> {
    this.#checkOpen();
    const leave = await this.#queue.enter(signal);
    try {
      await this.#begin();
      await this.#parts.log.append({ op: 'completion', runId, ...(tools !== undefined && { tools }) });
    } catch (error) {
      leave();
      throw error;
    }
    const release = (end: CompletionResult<unknown> | CompletionError | undefined): void => {
      const result = end instanceof CompletionError ? end.result : end;
      if (result !== undefined) this.#usages.push(result.usage);
      const paused = end instanceof CompletionError && end.resumable;
      settling(this.#settle(paused ? 'paused' : 'ready').finally(leave));
    };
    return { workspace: this.#parts.workspace, release };
  }

  async #begin(): Promise<void> {
    await this.#expireWhenOver();
    this.#checkOpen();
    this.#state.to('executing');
  }

  async #settle(state: SessionState): Promise<void> {
    await this.#look();
    this.#state.to(state);
    await this.#expireWhenOver();
  }

  /** Variables and snapshots for `status`, which does not ask the REPL. */
  async #look(): Promise<void> {
    try {
      this.#variables = await this.#repl.variables();
      this.#looked = this.#parts.log.count;
      this.#snapshots = await this.#repl.snapshots();
    } catch {
      // A REPL that was lost for good: the next command says so.
    }
  }

  /** What runs may finish; then the session expires. */
  #onOver(): void {
    this.#queue.run(() => this.#expireWhenOver()).catch(() => undefined);
  }

  async #expireWhenOver(): Promise<void> {
    if (this.#lifetime.over) await this.#finish('expired');
  }

  async #finish(state: 'terminated' | 'expired'): Promise<void> {
    if (this.#state.ended || this.#detached) return;
    const { events, workspace, save, onEnd } = this.#parts;
    this.#lifetime.stop();
    this.#state.to(state);
    await workspace.close();
    events.emit({ type: state === 'expired' ? 'session.expired' : 'session.closed', sessionId: this.id, state });
    await save(this.status(), this.#looked);
    await events.flush();
    events.close();
    onEnd();
  }
}
