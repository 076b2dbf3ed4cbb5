import { systemClock } from '../clock.ts';
import { RlmError } from '../errors.ts';
import type { SnapshotInfo, VariableInfo } from '../repl/port.ts';
import type { CompletionRun } from '../run/run-handle.ts';
import { checkOptions } from './check-arguments.ts';
import { Lifetime } from './lifetime.ts';
import { CLOSE_GRACE_MS } from './limits.ts';
import type { ExecuteOptions, SessionStatus } from './session.ts';
import type { CommandOutcome } from './session-commands.ts';
import { isPlain, PLAIN_END, type SessionOperation } from './session-log.ts';
import type { SessionParts } from './session-parts.ts';
import { checkOpen, closedWhileBusy, letGo, notBegun, type SessionState, StateMachine } from './session-state.ts';
import { closedAs } from './settled-run.ts';
import { TurnQueue } from './turn-queue.ts';

/** The REPL's contents when they were last listed: a status does not ask the REPL. */
interface Listed {
  readonly variables: readonly VariableInfo[];
  readonly snapshots: readonly SnapshotInfo[];
  /** Operations in the log when the variables were listed. */
  readonly operations: number;
}

/** Does what a session is asked for one at a time, follows its state and its time, and ends it. */
export class SessionLifecycle {
  readonly #parts: SessionParts;
  readonly #status: () => SessionStatus;
  readonly #queue = new TurnQueue();
  readonly #state: StateMachine;
  readonly #lifetime: Lifetime;
  readonly #runs = new Set<CompletionRun<unknown>>();
  /**
   * Stops what runs when the session is closed or released; its reason is the error of everything asked from then on.
   */
  readonly #stop = new AbortController();
  #listed: Listed = { variables: [], snapshots: [], operations: 0 };
  #closing: Promise<void> | undefined;
  #detached = false;

  /** @param status the session's status, for its record */
  constructor(parts: SessionParts, status: () => SessionStatus) {
    this.#parts = parts;
    this.#status = status;
    const { id, clock, config } = parts;
    this.#lifetime = new Lifetime({ id, clock, config, onOver: () => this.#onOver() });
    this.#state = new StateMachine('initializing', (state) =>
      parts.events.emit({ type: 'session.state', sessionId: id, state, expiresAt: this.#lifetime.expiresAt }),
    );
  }

  /** The part of the status about the session's state, its time and its REPL. */
  get facts(): Pick<SessionStatus, 'state' | 'expiresAt' | 'extensions' | 'variables' | 'snapshots'> {
    const { variables, snapshots } = this.#listed;
    const { expiresAt, extensions } = this.#lifetime;
    return { state: this.#state.state, expiresAt, extensions, variables, snapshots };
  }

  /** The session can be used, and its time runs. */
  async start(): Promise<void> {
    await this.#look();
    this.#state.to('ready');
    this.#lifetime.start();
  }

  async extend(): Promise<void> {
    this.#checkOpen();
    this.#lifetime.extend();
    const { expiresAt } = this.#lifetime;
    const { state } = this.#state;
    this.#parts.events.emit({ type: 'session.extended', sessionId: this.#parts.id, state, expiresAt });
    await this.#save();
  }

  /** Cancels the run when the session ends before it. */
  addRun(run: CompletionRun<unknown>): void {
    this.#runs.add(run);
    const done = (): unknown => this.#runs.delete(run);
    run.then(done, done);
  }

  /** Runs an operation of the session's log in its turn. */
  async replay(work: () => Promise<void>): Promise<void> {
    await this.#queue.run(work);
  }

  /** A cell or a bash command in its turn: logged before it is done, and its end after it. */
  async command<T>(
    operation: SessionOperation,
    options: ExecuteOptions,
    work: (options: ExecuteOptions) => Promise<CommandOutcome<T>>,
  ): Promise<T> {
    checkOptions(options);
    const signals = [options.signal ?? [], this.#stop.signal].flat();
    return await this.operate(
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
  async operate<T>(operation: SessionOperation | undefined, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
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
        throw this.closedAs(error);
      } finally {
        await this.#settle('ready');
      }
    } finally {
      leave();
    }
  }

  /**
   * The session's REPL for a completion, in its turn. The returned function gives it back, and resolves when the state is
   * up to date.
   */
  async lease(operation: SessionOperation, signal: AbortSignal): Promise<(state: 'ready' | 'paused') => Promise<void>> {
    this.#checkOpen();
    const leave = await this.#queue.enter(signal);
    try {
      await this.#begin();
      await this.#parts.log.append(operation);
    } catch (error) {
      leave();
      throw error;
    }
    return (state) => this.#settle(state).finally(leave);
  }

  /** An error of what runs; after `close()` stopped it, that it was closed. */
  closedAs(error: unknown): unknown {
    const { signal } = this.#stop;
    return this.#closing !== undefined && signal.aborted ? closedAs(error, signal.reason as RlmError) : error;
  }

  async close(): Promise<void> {
    if (this.#detached) return;
    this.#closing ??= this.#close();
    await this.#closing;
  }

  /** Stops what runs, frees the REPL and keeps the session: another process, or this one, can open it again. */
  async detach(): Promise<void> {
    if (this.#closing !== undefined) return await this.#closing;
    this.#detached = true;
    this.#lifetime.stop();
    this.#stop.abort(letGo(this.#parts.id));
    for (const run of this.#runs) run.cancel('the Rlm was closed');
    await this.#queue.run(async () => {
      if (this.#state.ended) return;
      await this.#parts.workspace.close();
      await this.#save();
      this.#parts.onEnd();
    });
  }

  /** Frees what a session holds that could not be restored; its record stays as it was. */
  async abandon(): Promise<void> {
    this.#detached = true;
    this.#stop.abort(letGo(this.#parts.id));
    await this.#parts.workspace.close();
    this.#parts.onEnd();
  }

  /** Stops what runs and what waits, then ends the session; a cell that does not stop in time ends with its REPL. */
  async #close(): Promise<void> {
    this.#lifetime.stop();
    if (!this.#state.ended) this.#stop.abort(closedWhileBusy(this.#parts.id));
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

  #checkOpen(): void {
    checkOpen(this.#parts.id, this.#state.state);
    this.#stop.signal.throwIfAborted();
  }

  /** Reports what a killed REPL lost, and records the failure of an operation that is not a command. */
  async #failed(operation: SessionOperation | undefined, error: unknown): Promise<void> {
    this.#parts.commands.reportLoss(error);
    if (operation === undefined || !isPlain(operation) || !RlmError.isInstance(error)) return;
    await this.#parts.log.ended({ ...PLAIN_END, ok: false, errorType: error.code });
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

  /** Lists variables and snapshots. */
  async #look(): Promise<void> {
    const { repl } = this.#parts.workspace;
    try {
      this.#listed = { ...this.#listed, variables: await repl.variables(), operations: this.#parts.log.count };
      this.#listed = { ...this.#listed, snapshots: await repl.snapshots() };
    } catch {
      // A REPL that was lost for good: the next command says so.
    }
  }

  /** A running operation may finish; then the session expires. */
  #onOver(): void {
    this.#queue.run(() => this.#expireWhenOver()).catch(() => undefined);
  }

  async #expireWhenOver(): Promise<void> {
    if (this.#lifetime.over) await this.#finish('expired');
  }

  async #finish(state: 'terminated' | 'expired'): Promise<void> {
    if (this.#state.ended || this.#detached) return;
    const { id, events, workspace, onEnd } = this.#parts;
    this.#lifetime.stop();
    this.#state.to(state);
    await workspace.close();
    events.emit({ type: state === 'expired' ? 'session.expired' : 'session.closed', sessionId: id, state });
    await this.#save();
    await events.flush();
    events.close();
    onEnd();
  }

  async #save(): Promise<void> {
    await this.#parts.save(this.#status(), this.#listed.operations);
  }
}
