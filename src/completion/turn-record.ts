/**
 * What a turn did. `run-command.ts` writes an {@link ExecutedCommand} once; the event, the feedback, the history, the
 * journal, the trajectory and the counts of the turn are pure projections of it.
 *
 * @module
 */
import type { HistoryCommand } from '../engine/history.ts';
import type { Run } from '../engine/run.ts';
import type { CellCompleted } from '../event/event.ts';
import type { CommandRun } from '../journal/index.ts';
import { type CellFacts, type CommandFeedback, feedbackMessage, type Note, notes, SAFE_STEP } from '../prompt/index.ts';
import { blockToSend, type Command } from '../protocol/index.ts';
import type { Answer, RestartInfo, VariableInfo } from '../repl/port.ts';
import type { AskedCalls, SubCallTally } from '../subcall/tally.ts';
import type { SubCall, Trajectory, ExecutedCommand as TrajectoryCommand, Turn } from '../trajectory.ts';
import type { Accepted, Verdict } from './judge-answer.ts';
import type { LastChance, TurnCounts } from './turn-limits.ts';

/** A command that is executed: every one but a final answer. */
export type ActiveCommand = Exclude<Command, { type: 'final' | 'final-var' }>;

/** The result of a command, before anything is known of its place in the turn. */
export interface CommandResult {
  readonly ok: boolean;
  /** The model has to see this before it may answer: a cell that raised, or a command that could not run. */
  readonly failed: boolean;
  /** Names it in the feedback, e.g. `cell`, `bash (exit code 1)`. */
  readonly label: string;
  /** What the model is shown, without durations and marks. */
  readonly shown: string;
  /** Everything it put out, untruncated, for `history`. */
  readonly output: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly error?: { readonly type: string; readonly message: string; readonly traceback?: string };
  readonly timedOut: boolean;
  /** The REPL was killed and came back. */
  readonly restarted?: RestartInfo;
  /** Names of the runtime that the cell had overwritten. */
  readonly rebound?: readonly string[];
  /** Variables after the cell. */
  readonly variables?: readonly VariableInfo[];
  /** The cell gave a final answer. */
  readonly answer?: Answer;
  /** The cell called `continue_with`. */
  readonly continueWith?: string;
  /** A QUERY_LLM command that the ledger refused altogether. */
  readonly queryRefused?: boolean;
}

/** A command that was executed, with its place in the turn, its duration and the calls it made. */
export interface ExecutedCommand extends CommandResult {
  /** Its stable handle, e.g. `t3.0`. */
  readonly id: string;
  readonly command: ActiveCommand;
  /** In the order in which they were asked for. */
  readonly subCalls: readonly SubCall[];
  readonly asked: AskedCalls;
  readonly durationMs: number;
}

/** A final answer in the text of a reply: it is judged, not executed. */
export interface GivenAnswer {
  readonly id: string;
  readonly command: Exclude<Command, ActiveCommand>;
  readonly ok: boolean;
  /** Why it was not taken. */
  readonly shown: string;
}

/** What a turn did so far. It is filled while the commands of the reply run. */
export class TurnRecord {
  readonly commands: (ExecutedCommand | GivenAnswer)[] = [];
  /** What the feedback says besides outputs, one sentence or list each. */
  readonly notes: (string | Note)[] = [];
  readonly invalidAnswers: (readonly string[])[] = [];
  /** What kind of reply it was, where nothing ran: the same again counts towards a limit. */
  form = '';
  accepted: Accepted | undefined;
  refusedAnswer = false;

  get executed(): readonly ExecutedCommand[] {
    return this.commands.filter(isExecuted);
  }

  /** A command failed whose error the model has not seen. */
  get failed(): boolean {
    return this.executed.some(({ failed }) => failed);
  }

  /** A cell or a bash command was executed. */
  get ranCode(): boolean {
    return this.executed.some(isCode);
  }

  /** Variables after the last cell that reported them. */
  get variables(): readonly VariableInfo[] | undefined {
    return this.executed.findLast(({ variables }) => variables !== undefined)?.variables;
  }

  get continueWith(): string | undefined {
    return this.executed.findLast(({ continueWith }) => continueWith !== undefined)?.continueWith;
  }

  addExecuted(command: ExecutedCommand): void {
    this.commands.push(command);
    this.notes.push(...notesOf(command));
  }

  addVerdict(verdict: Verdict): void {
    if ('accepted' in verdict) {
      this.accepted = verdict.accepted;
      return;
    }
    this.refusedAnswer = true;
    this.notes.push(verdict.refused);
    if (verdict.errors !== undefined) this.invalidAnswers.push(verdict.errors);
  }

  /** Adds that one more reply of the kind ends the run, with the text to copy: that of the newest note, or a safe step. */
  warn(kind: LastChance | undefined): void {
    if (kind === undefined) return;
    const at = this.notes.findLastIndex((note) => typeof note !== 'string' && note.send !== undefined);
    const note = this.notes[at];
    const send = typeof note === 'object' ? note.send : kind === 'unfit' ? undefined : blockToSend(SAFE_STEP);
    if (typeof note === 'object') this.notes[at] = { text: note.text.replace(/[.,:;]? [Ss]end exactly this.*$/, '') };
    this.notes.push(notes.lastWarning(kind, send));
  }

  /** What the limits on turns look at. */
  counts(tally: SubCallTally): TurnCounts {
    const cells = this.executed.filter(({ command }) => command.type === 'cell');
    const cellsOk = cells.filter(({ ok }) => ok).length;
    return {
      ran: this.executed.length,
      cellsOk,
      cellsFailed: cells.length - cellsOk,
      refusedAnswer: this.refusedAnswer,
      form: this.form,
      invalidAnswers: [...this.invalidAnswers, ...tally.invalidAnswers],
      subCallsSent: tally.sent,
      refusals: tally.refusals,
      queryRefused: this.executed.some(({ queryRefused }) => queryRefused === true),
    };
  }
}

function isExecuted(command: ExecutedCommand | GivenAnswer): command is ExecutedCommand {
  return 'output' in command;
}

export function isCode({ command }: Pick<ExecutedCommand, 'command'>): boolean {
  return command.type === 'cell' || command.type === 'bash';
}

function notesOf({ restarted, rebound = [] }: ExecutedCommand): readonly string[] {
  // The draft has a hint of its own.
  const undone = rebound.filter((name) => name !== 'answer');
  return [
    ...(restarted === undefined ? [] : [notes.restarted(restarted)]),
    ...(undone.length === 0 ? [] : [notes.rebound(undone)]),
  ];
}

/** What hints look at. `reply`: the reply that the command stands in. */
export function cellFacts(command: ExecutedCommand, reply: string): CellFacts {
  const { ok, error, answer, asked, rebound = [] } = command;
  const code = command.command.type === 'cell' ? command.command.code : '';
  return {
    ...{ code, ok, error, rebound },
    unclosed: code !== '' && reply.trimEnd().endsWith(code.trimEnd()),
    answered: answer !== undefined,
    ...asked,
  };
}

function failedCalls({ subCalls }: ExecutedCommand): number {
  return subCalls.filter(({ ok }) => !ok).length;
}

/** The user message after a turn; without a next turn it does not say what is left for one. */
export function turnFeedback(
  record: TurnRecord,
  { ledger, limits }: Pick<Run, 'ledger' | 'limits'>,
  nextTurn: number | undefined,
): string {
  const commands = record.executed.map(commandFeedback);
  const { notes, variables } = record;
  if (nextTurn === undefined) return feedbackMessage({ commands, notes, variables, budget: undefined });
  const cost = ledger.budget('cost');
  const left = {
    subCalls: ledger.budget('calls'),
    tokens: ledger.budget('tokens'),
    ms: ledger.budget('time'),
    ...(Number.isFinite(cost.limit) && { costUsd: cost }),
  };
  return feedbackMessage({ commands, notes, variables, budget: { nextTurn, maxTurns: limits.maxTurns, left } });
}

/** The command as its event. */
export function completedEvent(turn: number, command: ExecutedCommand): CellCompleted {
  const { id, ok, shown, stdout = '', stderr = '', error, subCalls, durationMs, timedOut } = command;
  return {
    type: 'cell.completed',
    ...{ turn, id, ok, shown, stdout, stderr },
    ...(error !== undefined && { error: { type: error.type, message: error.message } }),
    subCalls: subCalls.length,
    failedSubCalls: failedCalls(command),
    durationMs,
    timedOut,
  };
}

/** The command as the feedback shows it. */
function commandFeedback(command: ExecutedCommand): CommandFeedback {
  const { id, label, ok, shown, durationMs, subCalls } = command;
  return { id, label, ok, shown, durationMs, subCalls: subCalls.length, failedSubCalls: failedCalls(command) };
}

/** The command as `history` holds it. */
export function historyCommand({ id, command, ok, output }: ExecutedCommand): HistoryCommand {
  return { id, kind: command.type, ok, output };
}

/** The result of a command as the journal records it. */
export function journalCommand(id: string, command: ActiveCommand, result: CommandResult): CommandRun {
  const { ok, shown, timedOut, restarted } = result;
  return { id, source: sourceOf(command), shown, ok, timedOut, restarted: restarted !== undefined };
}

function sourceOf(command: ActiveCommand): string {
  if (command.type === 'cell') return command.code;
  return command.type === 'bash' ? command.command : JSON.stringify(command);
}

/** The command as the trajectory holds it. */
export function trajectoryCommand(command: ExecutedCommand | GivenAnswer): TrajectoryCommand {
  const { id, ok, shown } = command;
  if (!isExecuted(command)) return { id, command: command.command, ok, shown, subCalls: [], durationMs: 0 };
  const { stdout = '', stderr = '', error, subCalls, durationMs } = command;
  return {
    ...{ id, command: command.command, ok, shown, stdout, stderr },
    ...(error !== undefined && { error }),
    subCalls,
    durationMs,
  };
}

/** What is known of a completion before its first turn. */
export type TrajectoryHead = Omit<Trajectory, 'turns' | 'lastCall'>;

/** A turn that has its reply. */
export interface OpenedTurn {
  readonly number: number;
  readonly reply: string;
  readonly reasoning: string | undefined;
  readonly startedAt: number;
}

/** Builds the trajectory of a completion turn by turn, so that it is complete however the run ends. */
export class TrajectoryRecorder {
  readonly #head: TrajectoryHead;
  readonly #turns: Turn[] = [];
  #open: { readonly turn: OpenedTurn; readonly record: TurnRecord } | undefined;
  #lastCall: Trajectory['lastCall'];
  /** The draft in `answer["content"]` after the last cell. */
  draft: string | undefined;

  constructor(head: TrajectoryHead) {
    this.#head = head;
  }

  /** Root replies so far. */
  get turns(): number {
    return this.#turns.length + (this.#open === undefined ? 0 : 1);
  }

  openTurn(turn: OpenedTurn): TurnRecord {
    const record = new TurnRecord();
    this.#open = { turn, record };
    return record;
  }

  closeTurn(feedback: string, now: number): void {
    const open = this.#openTurn(feedback, now);
    this.#open = undefined;
    this.#turns.push(...open);
  }

  setLastCall(prompt: string, reply: string): void {
    this.#lastCall = { prompt, reply };
  }

  /** The trajectory so far, with the open turn. */
  trajectory(now: number): Trajectory {
    const turns = [...this.#turns, ...this.#openTurn('', now)];
    return { ...this.#head, turns, ...(this.#lastCall !== undefined && { lastCall: this.#lastCall }) };
  }

  #openTurn(feedback: string, now: number): readonly Turn[] {
    if (this.#open === undefined) return [];
    const { turn, record } = this.#open;
    const { number, reply, reasoning, startedAt } = turn;
    return [
      {
        ...{ number, reply },
        ...(reasoning !== undefined && { reasoning }),
        commands: record.commands.map(trajectoryCommand),
        feedback,
        durationMs: now - startedAt,
      },
    ];
  }
}
