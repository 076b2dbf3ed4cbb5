import { bindContext } from '../engine/bind-context.ts';
import type { Run } from '../engine/run.ts';
import type { Workspace } from '../engine/workspace.ts';
import { RlmError } from '../errors.ts';
import { digest } from '../journal/step-key.ts';
import type { Usage } from '../ledger/index.ts';
import type { Limits } from '../limits.ts';
import type { ModelPolicy } from '../model/model-policy.ts';
import { notes } from '../prompt/index.ts';
import type { BashOutcome, CellOutcome, ReplHost, RestartInfo } from '../repl/port.ts';
import { renderShown } from '../repl/shown.ts';
import { createCellHost } from '../subcall/cell-host.ts';
import { SubCallTally } from '../subcall/tally.ts';
import type { BashResult, CellResult, ExecuteOptions, SessionStatus } from './session.ts';
import type { OperationEnd } from './session-log.ts';

const EVERYTHING = { outputChars: Number.POSITIVE_INFINITY };

/** The session's own run, whose ledger pays for what its cells ask, and the REPL they run in. */
export interface SessionCommandsOptions {
  readonly run: Run;
  readonly workspace: Workspace;
}

/** The result of a command, and what the log keeps of it. */
export interface CommandOutcome<T> {
  readonly result: T;
  readonly end: OperationEnd;
  /** The error of a cell, in words. */
  readonly problem?: string;
}

/** The output of a command that is not replayed. */
const LEFT_OUT = '(not run again: the REPL had to be restarted)';

/** Runs cells and bash commands of a session between its completions. */
export class SessionCommands {
  readonly #parts: SessionCommandsOptions;
  readonly #tally = new SubCallTally();
  readonly #executed: SessionStatus['commands'][number][] = [];
  #host: ReplHost;

  constructor(parts: SessionCommandsOptions) {
    this.#parts = parts;
    this.#host = createCellHost({ ...parts, tally: this.#tally });
  }

  /** Does `work` under other models: what a cell was answered is recorded under the model it asked. */
  async withModels<T>(models: ModelPolicy, work: () => Promise<T>): Promise<T> {
    const { run, workspace } = this.#parts;
    const own = this.#host;
    this.#host = createCellHost({ run: { ...run, models }, workspace, tally: this.#tally });
    try {
      return await work();
    } finally {
      this.#host = own;
    }
  }

  /** The id of the next command. */
  get nextId(): string {
    return this.#parts.workspace.history.nextExecute;
  }

  /** The commands that ran, in order. */
  get executed(): SessionStatus['commands'] {
    return this.#executed;
  }

  usage(): Usage {
    return this.#parts.run.ledger.usage();
  }

  /** Binds the session's tools, and its context where it has one; without one, numbering starts with the first completion. */
  async bind(): Promise<void> {
    const { run, workspace } = this.#parts;
    const { contexts } = run;
    if (contexts.kind === 'one' && contexts.context.value.kind === 'none') {
      const { toolbox } = run;
      await workspace.repl.bind({
        values: { context: { kind: 'none' }, ...toolbox.values },
        tools: toolbox.bindings,
        output: null,
      });
      return;
    }
    await workspace.bind(bindContext(run, workspace));
  }

  async execute(code: string, options: ExecuteOptions): Promise<CommandOutcome<CellResult>> {
    const { workspace, run } = this.#parts;
    const handle = workspace.history.nextExecute;
    const outcome = await this.#serving(handle, () => workspace.repl.execute({ code, handle, ...options }));
    const { ok, durationMs, timedOut, value, error, answer } = outcome;
    this.#note({ kind: 'cell', source: code, ok, durationMs, output: renderShown(outcome, EVERYTHING, handle) });
    const result: CellResult = {
      ok,
      value,
      error,
      durationMs,
      timedOut,
      stdout: outcome.stdout.text,
      stderr: outcome.stderr.text,
      shown: shownOf(outcome, run.limits, handle),
      ...(answer !== undefined && { answer: answer.text }),
      ...this.#restart(outcome),
    };
    const end = {
      ...endOf(outcome, options),
      ...(error !== null && { errorType: error.type }),
      ...(answer !== undefined && { answer: digest(answer.text) }),
    };
    return { result, end, ...(error !== null && { problem: `${error.type}: ${error.message}` }) };
  }

  async bash(command: string, options: ExecuteOptions): Promise<CommandOutcome<BashResult>> {
    const { workspace, run } = this.#parts;
    const handle = workspace.history.nextExecute;
    const outcome = await this.#serving(handle, () => workspace.repl.bash({ command, handle, ...options }));
    const { ok, exitCode, durationMs, timedOut } = outcome;
    this.#note({ kind: 'bash', source: command, ok, durationMs, output: renderShown(outcome, EVERYTHING, handle) });
    const result: BashResult = {
      ok,
      exitCode,
      durationMs,
      timedOut,
      stdout: outcome.stdout.text,
      stderr: outcome.stderr.text,
      shown: shownOf(outcome, run.limits, handle),
      ...this.#restart(outcome),
    };
    return { result, end: { ...endOf(outcome, options), exitCode } };
  }

  /** Counts a command of the log that is not replayed. */
  leaveOut(kind: 'cell' | 'bash', source: string, { ok, durationMs }: OperationEnd): void {
    this.#note({ kind, source, ok, durationMs, output: LEFT_OUT });
  }

  /** The last command took that long when it was first run, whatever doing it again took. */
  tookAtFirst(durationMs: number): void {
    const last = this.#executed.pop();
    if (last !== undefined) this.#executed.push({ ...last, durationMs });
  }

  /** Emits what a killed REPL lost, where the error of a command says so. */
  reportLoss(error: unknown): void {
    if (!RlmError.isInstance(error) || error.data.restarted === undefined) return;
    this.#parts.run.emit({ type: 'repl.restarted', ...(error.data.restarted as RestartInfo) });
  }

  /** Reports what a killed REPL lost: as an event, and as a field of the result. */
  #restart({ restarted }: CellOutcome | BashOutcome): Pick<CellResult, 'restarted'> {
    if (restarted === undefined) return {};
    this.#parts.run.emit({ type: 'repl.restarted', ...restarted });
    return { restarted };
  }

  #note(command: {
    readonly kind: 'cell' | 'bash';
    readonly source: string;
    readonly ok: boolean;
    readonly durationMs: number;
    readonly output: string;
  }): void {
    const { kind, source, ok, durationMs, output } = command;
    const { history } = this.#parts.workspace;
    this.#executed.push({ id: history.nextExecute, kind, ok, durationMs });
    history.addExecute({ code: source, ok, output });
  }

  async #serving<T>(handle: string, work: () => Promise<T>): Promise<T> {
    this.#tally.begin(handle);
    const release = this.#parts.workspace.serve(this.#host);
    try {
      return await work();
    } finally {
      // Calls that the command left open stopped with it. They are paid for and recorded before anything else runs.
      await this.#tally.settled();
      release();
    }
  }
}

/** The output of a command as a model would see it, with the variables that a killed REPL lost. */
function shownOf(outcome: CellOutcome | BashOutcome, limits: Limits, handle: string): string {
  const shown = renderShown(outcome, limits, handle);
  if (outcome.restarted === undefined) return shown;
  const note = `Note: ${notes.restarted(outcome.restarted)}`;
  return shown === '' ? note : `${shown.trimEnd()}\n\n${note}`;
}

function endOf(
  { ok, durationMs, timedOut, restarted }: CellOutcome | BashOutcome,
  { signal }: ExecuteOptions,
): OperationEnd {
  return { ok, durationMs, cut: timedOut || signal?.aborted === true, restarted: restarted !== undefined };
}
