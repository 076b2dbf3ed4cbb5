import type { CommandRecord } from '../journal/index.ts';
import { type CommandFeedback, feedbackMessage, notes } from '../prompt/index.ts';
import type { Command, ParsedReply } from '../protocol/index.ts';
import type { Repl, ReplHost, VariableInfo } from '../repl/port.ts';
import { BeginAgain } from '../subcall/begin-again.ts';
import type { SubCallTally } from '../subcall/tally.ts';
import { type Accepted, judgeAnswer, judgeCommand, type Situation, type Verdict } from './accept-answer.ts';
import type { History, HistoryCommand } from './history.ts';
import type { Progress, TurnTally } from './progress.ts';
import type { Recorder } from './recorder.ts';
import { type ActiveCommand, type CommandResult, runCommand } from './run-command.ts';
import type { RunContext } from './run-context.ts';

/** What the commands of one turn work with. */
export interface TurnContext {
  /** From 1, within the completion. */
  readonly number: number;
  readonly run: RunContext;
  readonly repl: Repl;
  readonly history: History;
  readonly host: ReplHost;
  readonly tally: SubCallTally;
  readonly progress: Progress;
  readonly recorder: Recorder;
}

/** What a turn came to. */
export interface TurnOutcome {
  readonly accepted: Accepted | undefined;
  /** Feedback up to the standing line. */
  readonly commands: readonly CommandFeedback[];
  readonly notes: readonly string[];
  readonly variables: readonly VariableInfo[] | undefined;
  /** The commands with their full outputs. */
  readonly history: readonly HistoryCommand[];
  readonly tally: TurnTally;
  /** `continue_with` was called in a cell. */
  readonly continueWith: string | undefined;
}

/** Collects what a turn does while its commands run. */
class TurnLog {
  readonly commands: CommandFeedback[] = [];
  readonly notes: string[] = [];
  readonly history: HistoryCommand[] = [];
  readonly invalidAnswers: (readonly string[])[] = [];
  accepted: Accepted | undefined;
  variables: readonly VariableInfo[] | undefined;
  continueWith: string | undefined;
  ran = 0;
  cellsOk = 0;
  cellsFailed = 0;
  failed = false;
  code = false;
  refusedAnswer = false;
  queryRefused = false;
}

/** Executes the commands of a reply in document order. */
export async function takeTurn(reply: ParsedReply, turn: TurnContext): Promise<TurnOutcome> {
  const log = new TurnLog();
  const handle = `t${turn.history.nextTurn}`;
  turn.tally.reset(turn.number);
  for (const rejected of reply.rejected) {
    turn.run.emit({ type: 'command.rejected', turn: turn.number, ...rejected });
    log.notes.push(rejected.message);
  }
  for (const [index, command] of reply.commands.entries()) {
    if (turn.run.stop.workSignal.aborted) break;
    if (log.accepted !== undefined) skipAfterFinal(command, turn);
    else await step(command, `${handle}.${index}`, turn, log);
  }
  if (reply.commands.length === 0 && reply.rejected.length === 0) log.notes.push(notes.NUDGE);
  return outcomeOf(log, turn);
}

/** The user message after a turn; without a next turn it does not say what is left for one. */
export function feedbackOf(outcome: TurnOutcome, turn: TurnContext, nextTurn: number | undefined): string {
  const { run } = turn;
  const { commands, notes: said, variables } = outcome;
  if (nextTurn === undefined) return feedbackMessage({ commands, notes: said, variables, standing: undefined });
  const calls = run.ledger.budget('calls');
  const tokens = run.ledger.budget('tokens');
  const cost = run.ledger.budget('cost');
  const time = run.ledger.budget('time');
  return feedbackMessage({
    commands,
    notes: said,
    variables,
    standing: {
      nextTurn,
      maxTurns: run.limits.maxTurns,
      left: { subCalls: calls, tokens, ms: time, ...(Number.isFinite(cost.limit) && { costUsd: cost }) },
    },
  });
}

async function step(command: Command, id: string, turn: TurnContext, log: TurnLog): Promise<void> {
  turn.run.emit({ type: 'command.parsed', turn: turn.number, id, command });
  if (command.type === 'final' || command.type === 'final-var') {
    const verdict = await judgeCommand(command, situationOf(turn, log));
    const shown = take(verdict, turn, log);
    turn.recorder.addCommand({ id, command, ok: log.accepted !== undefined, shown, subCalls: [], durationMs: 0 });
    return;
  }
  const startedAt = turn.run.clock.now();
  turn.tally.begin(id);
  const result = await runOnce(command, id, turn);
  turn.run.stop.throwIfBeginsAgain();
  const calls = turn.tally.end();
  const durationMs = turn.run.clock.now() - startedAt;
  note(command, result, log);
  record({ command, id, result, durationMs, calls }, turn, log);
  // The same reply's earlier failures bar the answer; the cell's own success is what gave it.
  if (result.cell?.answer !== undefined) take(await judgeAnswer(result.cell.answer, situationOf(turn, log)), turn, log);
}

/**
 * Runs a command, unless a replay knows that it had to be killed: it left nothing behind, and would hang again. What
 * came of it is recorded, or held against the record.
 */
async function runOnce(command: ActiveCommand, id: string, turn: TurnContext): Promise<CommandResult> {
  const { journal, stop } = turn.run;
  const known = journal.recordedCommand(id);
  if (known?.restarted === true) return leftOut(command.type, known);
  const result = await runToEnd(command, id, turn);
  const { ok, shown, timedOut, restarted } = result;
  // What the end of the run cut short says nothing about the command: a resumed run runs it again.
  if (stop.workSignal.aborted) return result;
  const { restarted: loss } = result;
  if (loss?.killed === true && turn.run.healing?.takes(`${journal.path} ${id}`)) throw new BeginAgain(loss);
  journal.command({ id, source: sourceOf(command), shown, ok, timedOut, restarted: restarted !== undefined });
  return result;
}

/** Runs a command until everything it asked for has come to its end as well, also what it left behind. */
async function runToEnd(command: ActiveCommand, id: string, turn: TurnContext): Promise<CommandResult> {
  try {
    return await runCommand(command, id, turn);
  } finally {
    await turn.tally.settled();
  }
}

function leftOut(label: string, { ok, timedOut }: CommandRecord): CommandResult {
  const shown = '(not run again: the REPL had to be killed and came back as it was before)';
  return { ok, failed: !ok, label, shown, output: shown, timedOut };
}

function sourceOf(command: ActiveCommand): string {
  if (command.type === 'cell') return command.code;
  return command.type === 'bash' ? command.command : JSON.stringify(command);
}

function note(command: Command, result: CommandResult, log: TurnLog): void {
  log.ran++;
  if (command.type === 'cell') {
    if (result.ok) log.cellsOk++;
    else log.cellsFailed++;
  }
  if (command.type === 'cell' || command.type === 'bash') log.code = true;
  if (result.failed) log.failed = true;
  if (result.queryRefused === true) log.queryRefused = true;
  if (result.cell?.variables !== undefined) log.variables = result.cell.variables;
  if (result.restarted !== undefined) log.notes.push(notes.restarted(result.restarted));
  if (result.cell?.rebound !== undefined) log.notes.push(notes.rebound(result.cell.rebound));
  if (result.cell?.continueWith !== undefined) log.continueWith = result.cell.continueWith;
}

interface Finished {
  readonly command: Command;
  readonly id: string;
  readonly result: CommandResult;
  readonly durationMs: number;
  readonly calls: { readonly made: number; readonly failed: number };
}

function record({ command, id, result, durationMs, calls }: Finished, turn: TurnContext, log: TurnLog): void {
  const { run, recorder, history, progress } = turn;
  if (command.type === 'cell' || command.type === 'bash') progress.inspected = true;
  if (result.restarted !== undefined) run.emit({ type: 'repl.restarted', ...result.restarted });
  const { ok, shown, stdout = '', stderr = '', error, timedOut } = result;
  run.emit({
    type: 'cell.completed',
    turn: turn.number,
    id,
    ok,
    shown,
    stdout,
    stderr,
    ...(error !== undefined && { error: { type: error.type, message: error.message } }),
    subCalls: calls.made,
    failedSubCalls: calls.failed,
    durationMs,
    timedOut,
  });
  recorder.addCommand({
    id,
    command,
    ok,
    shown,
    stdout,
    stderr,
    ...(error !== undefined && { error }),
    subCalls: recorder.takeSubCalls(),
    durationMs,
  });
  log.commands.push({
    id,
    label: result.label,
    ok,
    shown,
    durationMs,
    subCalls: calls.made,
    failedSubCalls: calls.failed,
  });
  const entry: HistoryCommand = { id, kind: command.type, ok, output: result.output };
  log.history.push(entry);
  history.addCommand(entry);
}

function situationOf(turn: TurnContext, log: TurnLog): Situation {
  const { run, repl, progress } = turn;
  return { run, repl, progress, afterFailure: log.failed, afterCode: log.code, lastCall: false };
}

/** Takes or refuses an answer; returns what is said of it. */
function take(verdict: Verdict, turn: TurnContext, log: TurnLog): string {
  if ('accepted' in verdict) {
    log.accepted = verdict.accepted;
    return '';
  }
  log.refusedAnswer = true;
  if (verdict.errors !== undefined) log.invalidAnswers.push(verdict.errors);
  log.notes.push(verdict.refused);
  turn.run.emit({
    type: 'command.rejected',
    turn: turn.number,
    code: verdict.code,
    message: verdict.refused,
    excerpt: '',
  });
  return verdict.refused;
}

function skipAfterFinal(command: Command, turn: TurnContext): void {
  turn.run.emit({
    type: 'command.rejected',
    turn: turn.number,
    code: 'after-final',
    message: 'The command stands after a final answer and was not run.',
    excerpt: command.type,
  });
}

function outcomeOf(log: TurnLog, turn: TurnContext): TurnOutcome {
  return {
    accepted: log.accepted,
    commands: log.commands,
    notes: log.notes,
    variables: log.variables,
    history: log.history,
    continueWith: log.continueWith,
    tally: {
      ran: log.ran,
      cellsOk: log.cellsOk,
      cellsFailed: log.cellsFailed,
      refusedAnswer: log.refusedAnswer,
      invalidAnswers: [...log.invalidAnswers, ...turn.tally.invalidAnswers],
      subCallsSent: turn.tally.sent,
      refusals: turn.tally.refusals,
      queryRefused: log.queryRefused,
    },
  };
}
