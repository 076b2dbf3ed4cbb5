import { isObject } from '../argument-checks.ts';
import { defined } from '../defined.ts';
import { CompletionError } from '../engine/result.ts';
import type { Workspace } from '../engine/workspace.ts';
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
import { checkText, checkValue } from './check-arguments.ts';
import type { BashResult, CellResult, ExecuteOptions, Session, SessionDivergence, SessionStatus } from './session.ts';
import { SessionLifecycle } from './session-lifecycle.ts';
import type { SessionParts } from './session-parts.ts';
import { type RecordedTools, recordTools } from './session-tools.ts';
import { whenSettled } from './settled-run.ts';

/** A session whose REPL is in this process. */
export class LiveSession implements Session {
  readonly id: string;
  /** Its parts, for the replay that restores it. */
  readonly parts: SessionParts;
  readonly #lifecycle: SessionLifecycle;
  readonly #usages: Usage[] = [];
  #diverged: SessionDivergence | undefined;

  constructor(parts: SessionParts) {
    this.id = parts.id;
    this.parts = parts;
    this.#lifecycle = new SessionLifecycle(parts, () => this.status());
  }

  /** The session can be used, and its time runs. @param diverged how bringing it back differed from its record */
  async start(diverged?: SessionDivergence): Promise<void> {
    this.#diverged = diverged;
    await this.#lifecycle.start();
  }

  status(): SessionStatus {
    const { commands, config } = this.parts;
    return {
      id: this.id,
      ...this.#lifecycle.facts,
      createdAt: new Date(config.createdAt).toISOString(),
      usage: sumUsage([commands.usage(), ...this.#usages]),
      commands: commands.executed,
      ...(this.#diverged !== undefined && { diverged: this.#diverged }),
    };
  }

  completion<T = string>(request: CompletionRequest<T>): CompletionRun<T> {
    const { engine, config } = this.parts;
    const checked = givenRequest(request);
    const { signal, repl: _, ...rest } = checked.request;
    const given = rest.limits ?? {};
    const limits = isObject(given) ? { ...config.limits, ...givenLimits(given) } : given;
    const { tools: own } = rest;
    const tools = own ?? config.tools;
    let settled = Promise.resolve();
    const run = startRun<T>({
      engine,
      request: { ...rest, limits, ...defined({ tools }) },
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
    const failedAs = (error: unknown): unknown => this.#lifecycle.closedAs(error);
    const whole = whenSettled(run, { settled: () => settled, failedAs });
    this.#lifecycle.addRun(whole);
    return whole;
  }

  async execute(code: string, options: ExecuteOptions = {}): Promise<CellResult> {
    const { commands, models } = this.parts;
    checkText('code', code);
    return await this.#lifecycle.command({ op: 'execute', code, models }, options, (stoppable) =>
      commands.execute(code, stoppable),
    );
  }

  async bash(command: string, options: ExecuteOptions = {}): Promise<BashResult> {
    checkText('command', command);
    return await this.#lifecycle.command({ op: 'bash', command }, options, (stoppable) =>
      this.parts.commands.bash(command, stoppable),
    );
  }

  async setVariable(name: string, value: JsonValue): Promise<void> {
    checkText('name', name);
    checkValue(name, value);
    await this.#lifecycle.operate({ op: 'set', name, value }, () => this.#repl.setVariable(name, value));
  }

  async getVariable(name: string): Promise<JsonValue> {
    checkText('name', name);
    return await this.#lifecycle.operate(undefined, () => this.#repl.getVariable(name));
  }

  variables(): Promise<readonly VariableInfo[]> {
    return this.#lifecycle.operate(undefined, () => this.#repl.variables());
  }

  snapshot(name: string): Promise<SnapshotInfo> {
    return this.#lifecycle.operate({ op: 'snapshot', name }, async () => {
      const info = await this.#repl.snapshot(name);
      this.parts.events.emit({ type: 'snapshot.created', name, bytes: info.bytes });
      return info;
    });
  }

  rollback(name: string): Promise<void> {
    return this.#lifecycle.operate({ op: 'rollback', name }, async () => {
      await this.#repl.rollback(name);
      this.parts.events.emit({ type: 'snapshot.restored', name });
    });
  }

  snapshots(): Promise<readonly SnapshotInfo[]> {
    return this.#lifecycle.operate(undefined, () => this.#repl.snapshots());
  }

  deleteSnapshot(name: string): Promise<void> {
    return this.#lifecycle.operate({ op: 'delete-snapshot', name }, async () => {
      await this.#repl.deleteSnapshot(name);
      this.parts.events.emit({ type: 'snapshot.deleted', name });
    });
  }

  async extend(): Promise<SessionStatus> {
    await this.#lifecycle.extend();
    return this.status();
  }

  async close(): Promise<void> {
    await this.#lifecycle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Stops what runs, frees the REPL and keeps the session: another process, or this one, can open it again. */
  async detach(): Promise<void> {
    await this.#lifecycle.detach();
  }

  /** Frees what a session holds that could not be restored; its record stays as it was. */
  async abandon(): Promise<void> {
    await this.#lifecycle.abandon();
  }

  /** Replays an operation of the session's log in its turn. */
  async replay(work: () => Promise<void>): Promise<void> {
    await this.#lifecycle.replay(work);
  }

  /** Counts what a completion of an earlier process used. */
  addUsage(usage: Usage): void {
    this.#usages.push(usage);
  }

  get #repl(): Workspace['repl'] {
    return this.parts.workspace.repl;
  }

  async #lease(
    { runId, signal, tools }: LeaseRequest,
    settling: (settled: Promise<void>) => void,
  ): Promise<WorkspaceLease> {
    const operation = { op: 'completion', runId, ...(tools !== undefined && { tools }) } as const;
    const settle = await this.#lifecycle.lease(operation, signal);
    const { history } = this.parts.workspace;
    const before = history.queries;
    return {
      workspace: this.parts.workspace,
      release: (end) => {
        const result = end instanceof CompletionError ? end.result : end;
        if (result !== undefined) this.#usages.push(result.usage);
        if (result !== undefined && history.queries > before) history.addEnd(result);
        settling(settle(end instanceof CompletionError && end.resumable ? 'paused' : 'ready'));
      },
    };
  }
}

interface LeaseRequest {
  readonly runId: string;
  readonly signal: AbortSignal;
  /** Those of the completion alone. */
  readonly tools: RecordedTools | undefined;
}
