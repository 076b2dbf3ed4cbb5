import { isEmptyContext } from '../context/index.ts';
import { RestartTree } from '../engine/restart.ts';
import { notRecorded } from '../journal/index.ts';
import { coachEmptyReply, hintsFor, notes, noteText } from '../prompt/index.ts';
import { type Command, parseReply, splitReasoning, withoutReasoning } from '../protocol/index.ts';
import { BROKEN_OFF, type RootReply } from './ask-root.ts';
import { EarlyCells } from './early-cells.ts';
import {
  type ActiveCommand,
  type CommandResult,
  cellFacts,
  completedEvent,
  type ExecutedCommand,
  historyCommand,
  isCode,
  journalCommand,
} from './executed-command.ts';
import { judgeAnswer, judgeCommand, type Situation, type Verdict } from './judge-answer.ts';
import { runCommand } from './run-command.ts';
import type { TurnContext } from './turn-context.ts';

type TextReply = Pick<Extract<RootReply, { kind: 'reply' }>, 'text' | 'reasoning' | 'finishReason'>;

/** Begins a turn: cells of its reply may run while the rest of it arrives. */
export function beginTurn(turn: TurnContext): EarlyCells {
  const { run, record, tally, number } = turn;
  tally.reset(number);
  return new EarlyCells({
    execute: (command, index) => step(command, idOf(index, turn), turn),
    isOver: () => record.accepted !== undefined || run.stop.workSignal.aborted,
    onFailure: (error) => run.stop.fail(error),
  });
}

/** The stable handle of a command, e.g. `t3.0`. */
function idOf(index: number, { history }: TurnContext): string {
  return `t${history.nextTurn}.${index}`;
}

/** Executes the commands of a reply in document order, but those that have run already. All of it is in the turn's record. */
export async function takeTurn(reply: TextReply, turn: TurnContext, early: EarlyCells): Promise<void> {
  const { run, record } = turn;
  const { finishReason, text } = reply;
  const { commands, rejected } = parseReply(text, { finishReason, jsonAnswer: run.answerType !== undefined });
  for (const { code, message, excerpt, send } of rejected) {
    const note = send === undefined ? message : { text: message, send };
    run.emit({ type: 'command.rejected', turn: turn.number, code, message: noteText(note), excerpt });
    record.notes.push(note);
  }
  await early.settled();
  record.form = rejected.map(({ code }) => code).join(' ');
  for (const [index, command] of commands.entries()) {
    if (index < early.executed) continue;
    if (run.stop.workSignal.aborted) break;
    if (record.accepted !== undefined) skipAfterFinal(command, turn);
    else await step(command, idOf(index, turn), turn);
  }
  if (finishReason === BROKEN_OFF) record.notes.push(notes.BROKEN_OFF);
  if (commands.length === 0 && rejected.length === 0) coach(reply, turn);
  else record.notes.push(...record.executed.flatMap((command) => hintsFor(cellFacts(command, text))));
}

/** Names what a reply was of which nothing ran. */
function coach({ text, reasoning }: TextReply, { run, record, answers }: TurnContext): void {
  const mayAnswer = answers.inspected || !run.requireInspection || isEmptyContext(run.contexts);
  const thought = reasoning ?? splitReasoning(text).reasoning;
  const { form, note } = coachEmptyReply({ text: withoutReasoning(text), reasoning: thought, mayAnswer });
  record.form = form;
  record.notes.push(note);
}

async function step(command: Command, id: string, turn: TurnContext): Promise<void> {
  turn.run.emit({ type: 'command.parsed', turn: turn.number, id, command });
  if (command.type === 'final' || command.type === 'final-var') {
    const verdict = await judgeCommand(command, situationOf(turn));
    const refused = 'accepted' in verdict ? undefined : verdict.refused;
    decide(verdict, turn);
    turn.record.commands.push({
      id,
      command,
      ok: refused === undefined,
      shown: refused === undefined ? '' : noteText(refused),
    });
    return;
  }
  const executed = await execute(command, id, turn);
  keep(executed, turn);
  // The same reply's earlier failures bar the answer; the cell's own success is what gave it.
  if (executed.answer !== undefined) decide(await judgeAnswer(executed.answer, situationOf(turn)), turn);
}

async function execute(command: ActiveCommand, id: string, turn: TurnContext): Promise<ExecutedCommand> {
  const { run, tally } = turn;
  const startedAt = run.clock.now();
  tally.begin(id);
  const result = await runOnce(command, id, turn);
  run.stop.throwIfRestarting();
  return { ...result, id, command, asked: tally.asked, subCalls: tally.end(), durationMs: run.clock.now() - startedAt };
}

/**
 * Runs a command, unless a replay knows that it had to be killed: it left nothing behind, and would hang again. Its
 * result is recorded, or compared with its record.
 */
async function runOnce(command: ActiveCommand, id: string, turn: TurnContext): Promise<CommandResult> {
  const { journal, stop, tree } = turn.run;
  const known = journal.recordedCommand(id);
  if (known?.restarted === true) return leftOut(command.type, known);
  // A command whose end is not recorded was cut: a replay of what has ended does not run it.
  if (known === undefined && journal.unrecorded === 'refuse') throw notRecorded();
  const result = await runToEnd(command, id, turn);
  // The end of the run cut the command short, which says nothing about the command: a resumed run runs it again.
  if (stop.workSignal.aborted) return result;
  const { restarted } = result;
  if (restarted?.killed === true && tree.restart?.takes(`${journal.path} ${id}`)) throw new RestartTree(restarted);
  journal.command(journalCommand(id, command, result));
  return result;
}

/** Runs a command until every call it made has ended as well, also the ones it left behind. */
async function runToEnd(command: ActiveCommand, id: string, turn: TurnContext): Promise<CommandResult> {
  try {
    return await runCommand(command, id, turn);
  } finally {
    await turn.tally.settled();
  }
}

function leftOut(label: string, { ok, timedOut }: Pick<CommandResult, 'ok' | 'timedOut'>): CommandResult {
  const shown = '(not run again: the REPL had to be killed and came back as it was before)';
  return { ok, failed: !ok, label, shown, output: shown, timedOut };
}

/** Puts an executed command where it is looked for: the record, the events, `history`. */
function keep(command: ExecutedCommand, turn: TurnContext): void {
  const { run, record, history, answers } = turn;
  record.addExecuted(command);
  if (isCode(command)) answers.inspected = true;
  if (command.restarted !== undefined) run.emit({ type: 'repl.restarted', ...command.restarted });
  run.emit(completedEvent(turn.number, command));
  history.addCommand(historyCommand(command));
}

function situationOf({ run, repl, answers, record }: TurnContext): Situation {
  return { run, repl, answers, afterFailure: record.failed, afterCode: record.ranCode, lastCall: false };
}

/** Takes or refuses an answer. */
function decide(verdict: Verdict, { run, record, number }: TurnContext): void {
  record.addVerdict(verdict);
  if ('accepted' in verdict) return;
  const { code, refused } = verdict;
  run.emit({ type: 'command.rejected', turn: number, code, message: noteText(refused), excerpt: '' });
}

function skipAfterFinal(command: Command, turn: TurnContext): void {
  turn.run.emit({
    type: 'command.rejected',
    turn: turn.number,
    code: 'after-final',
    message: 'The command comes after a final answer and was not run.',
    excerpt: command.type,
  });
}
