import type { Run } from '../engine/run.ts';
import { feedbackMessage, type Note, notes, SAFE_STEP } from '../prompt/index.ts';
import { blockToSend, type Command } from '../protocol/index.ts';
import type { VariableInfo } from '../repl/port.ts';
import type { SubCallTally } from '../subcall/tally.ts';
import type { Trajectory, ExecutedCommand as TrajectoryCommand, Turn } from '../trajectory.ts';
import { type ActiveCommand, commandFeedback, type ExecutedCommand, isCode } from './executed-command.ts';
import type { Accepted, Verdict } from './judge-answer.ts';

/** A final answer in the text of a reply: it is judged, not executed. */
export interface GivenAnswer {
  readonly id: string;
  readonly command: Exclude<Command, ActiveCommand>;
  readonly ok: boolean;
  /** Why it was not accepted. */
  readonly shown: string;
}

/** The counts of one turn that the limits on turns are checked against. */
export interface TurnCounts {
  /** Commands that were executed: cells, bash, snapshots, rollbacks, sub-queries. */
  readonly ran: number;
  readonly cellsOk: number;
  readonly cellsFailed: number;
  /** An answer was given, and refused. */
  readonly refusedAnswer: boolean;
  /** The kind of reply, where nothing ran. */
  readonly form: string;
  /** Failed validations of a typed answer, each with every error. */
  readonly invalidAnswers: readonly (readonly string[])[];
  readonly subCallsSent: number;
  /** Sub-calls the ledger refused, by the resource that was short. */
  readonly refusals: ReadonlyMap<'calls' | 'tokens' | 'cost' | 'time', number>;
  /** A QUERY_LLM command in the reply's text was refused by the ledger. */
  readonly queryRefused: boolean;
}

/** The kind of reply that ends the run if it comes once more. */
export type LastChance = 'empty' | 'failed' | 'unfit';

/** A reply as the trajectory holds it. */
export interface RecordedReply {
  readonly text: string;
  readonly reasoning: string | undefined;
}

/** The record of a turn, filled while the commands of its reply run. */
export class TurnRecord {
  /** From 1. */
  readonly number: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** Undefined until the reply is complete. */
  reply: RecordedReply | undefined;
  readonly commands: (ExecutedCommand | GivenAnswer)[] = [];
  /** Notes for the feedback besides outputs, one sentence or list each. */
  readonly notes: (string | Note)[] = [];
  readonly invalidAnswers: (readonly string[])[] = [];
  /** The kind of reply, where nothing ran: the same kind again counts towards a limit. */
  form = '';
  accepted: Accepted | undefined;
  refusedAnswer = false;

  constructor({ number, startedAt }: Pick<TurnRecord, 'number' | 'startedAt'>) {
    this.number = number;
    this.startedAt = startedAt;
  }

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

  /** Variables after the last cell that reported them. Those that any cell of the turn made or changed are marked. */
  get variables(): readonly VariableInfo[] | undefined {
    const lists = this.executed.flatMap(({ variables }) => (variables === undefined ? [] : [variables]));
    const changed = new Set(lists.flatMap((list) => list.filter((row) => row.changed).map(({ name }) => name)));
    return lists.at(-1)?.map((row) => (changed.has(row.name) ? { ...row, changed: true } : row));
  }

  /**
   * Whether `answer["content"]` may hold a draft after the turn. Undefined when nothing of the turn can have changed it:
   * neither a cell, a rollback nor a restart, nor the f-string of an answer that was refused.
   */
  get mayHaveDraft(): boolean | undefined {
    if (this.refusedAnswer) return true;
    const last = this.executed.findLast(
      ({ command, restarted }) => command.type === 'cell' || command.type === 'rollback' || restarted !== undefined,
    );
    return last === undefined ? undefined : last.drafted !== false;
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

  /** The counts that the limits on turns are checked against. */
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

function notesOf({ restarted, rebound = [] }: ExecutedCommand): readonly string[] {
  // The draft has a hint of its own.
  const undone = rebound.filter((name) => name !== 'answer');
  return [
    ...(restarted === undefined ? [] : [notes.restarted(restarted)]),
    ...(undone.length === 0 ? [] : [notes.rebound(undone)]),
  ];
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

/** The command as the trajectory holds it. */
export function trajectoryCommand(command: ExecutedCommand | GivenAnswer): TrajectoryCommand {
  const { id, ok, shown } = command;
  if (!isExecuted(command)) return { id, command: command.command, ok, shown, subCalls: [], durationMs: 0 };
  const { stdout = '', stderr = '', error, subCalls, durationMs } = command;
  return {
    id,
    command: command.command,
    ok,
    shown,
    stdout,
    stderr,
    ...(error !== undefined && { error }),
    subCalls,
    durationMs,
  };
}

/** The parts of a trajectory that are known before the first turn. */
export type TrajectoryHead = Omit<Trajectory, 'turns' | 'lastCall'>;

/** Builds the trajectory of a completion turn by turn, so that it is complete however the run ends. */
export class TrajectoryRecorder {
  readonly #head: TrajectoryHead;
  readonly #turns: Turn[] = [];
  #open: TurnRecord | undefined;
  #lastCall: Trajectory['lastCall'];
  /** The draft in `answer["content"]` after the last cell. */
  draft: string | undefined;

  constructor(head: TrajectoryHead) {
    this.#head = head;
  }

  /** Root replies so far. */
  get turns(): number {
    return this.#turns.length + (this.#open?.reply === undefined ? 0 : 1);
  }

  openTurn(turn: Pick<TurnRecord, 'number' | 'startedAt'>): TurnRecord {
    this.#open = new TurnRecord(turn);
    return this.#open;
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
    if (this.#open?.reply === undefined) return [];
    const { number, reply, startedAt, commands } = this.#open;
    return [
      {
        number,
        reply: reply.text,
        ...(reply.reasoning !== undefined && { reasoning: reply.reasoning }),
        commands: commands.map(trajectoryCommand),
        feedback,
        durationMs: now - startedAt,
      },
    ];
  }
}
