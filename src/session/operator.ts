import { bindContext } from '../completion/bind-context.ts';
import type { Engine, RunIdentity } from '../completion/engine.ts';
import { hostFor } from '../completion/host.ts';
import type { PreparedRun } from '../completion/prepare-run.ts';
import type { Workspace } from '../completion/workspace.ts';
import { isEmptyContext, type Projection } from '../context/index.ts';
import type { Usage } from '../ledger/index.ts';
import type { ReplHost } from '../repl/port.ts';
import { renderShown } from '../repl/shown.ts';
import { SubCallTally } from '../subcall/tally.ts';
import type { BashResult, CellResult, ExecuteOptions, SessionStatus } from './session.ts';

const EVERYTHING = { outputChars: Number.POSITIVE_INFINITY };

/** What an operator works with: the session's own run, whose ledger pays for what its cells ask. */
export interface OperatorParts {
  readonly engine: Engine;
  readonly identity: RunIdentity;
  readonly prepared: PreparedRun;
  readonly workspace: Workspace;
}

/** Runs cells and bash commands of a session between its completions. */
export class Operator {
  readonly #parts: OperatorParts;
  readonly #tally = new SubCallTally();
  readonly #commands: SessionStatus['commands'][number][] = [];
  #host: ReplHost;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
    this.#host = this.#hostWith(new Map());
  }

  /** What was run, in order. */
  get commands(): SessionStatus['commands'] {
    return this.#commands;
  }

  usage(): Usage {
    return this.#parts.prepared.run.ledger.usage();
  }

  /** Binds the session's tools, and its context where it has one; without one, numbering starts with the first completion. */
  async bind(): Promise<void> {
    const { prepared, workspace } = this.#parts;
    const { run } = prepared;
    if (isEmptyContext(run.contexts)) {
      const { toolbox } = run;
      await workspace.repl.bind({
        values: { context: { kind: 'none' }, ...toolbox.values },
        tools: toolbox.bindings,
        output: null,
      });
      return;
    }
    const { bindings, projections } = bindContext(run, workspace.nextContext());
    this.#host = this.#hostWith(projections);
    await workspace.repl.bind(bindings);
  }

  async execute(code: string, options: ExecuteOptions): Promise<CellResult> {
    const { workspace, prepared } = this.#parts;
    const handle = workspace.history.nextExecute;
    const outcome = await this.#serving(handle, () => workspace.repl.execute({ code, handle, ...options }));
    const { ok, durationMs, timedOut, value, error, answer } = outcome;
    workspace.history.addExecute({ code, ok, output: renderShown(outcome, EVERYTHING, handle) });
    this.#commands.push({ id: handle, kind: 'cell', ok, durationMs });
    return {
      ...{ ok, value, error, durationMs, timedOut },
      stdout: outcome.stdout.text,
      stderr: outcome.stderr.text,
      shown: renderShown(outcome, prepared.run.limits, handle),
      ...(answer !== undefined && { answer: answer.text }),
    };
  }

  async bash(command: string, options: ExecuteOptions): Promise<BashResult> {
    const { workspace, prepared } = this.#parts;
    const handle = workspace.history.nextExecute;
    const outcome = await this.#serving(handle, () => workspace.repl.bash({ command, handle, ...options }));
    const { ok, exitCode, durationMs, timedOut } = outcome;
    workspace.history.addExecute({ code: command, ok, output: renderShown(outcome, EVERYTHING, handle) });
    this.#commands.push({ id: handle, kind: 'bash', ok, durationMs });
    return {
      ...{ ok, exitCode, durationMs, timedOut },
      stdout: outcome.stdout.text,
      stderr: outcome.stderr.text,
      shown: renderShown(outcome, prepared.run.limits, handle),
    };
  }

  async #serving<T>(handle: string, work: () => Promise<T>): Promise<T> {
    this.#tally.begin(handle);
    const release = this.#parts.workspace.serve(this.#host);
    try {
      return await work();
    } finally {
      release();
    }
  }

  #hostWith(projections: ReadonlyMap<string, Projection>): ReplHost {
    // Sub-calls of a session's own cells are in its events and journal; no trajectory holds them.
    return hostFor({ ...this.#parts, projections, tally: this.#tally, record: () => undefined });
  }
}
