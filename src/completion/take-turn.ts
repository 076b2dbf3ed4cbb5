import { isEmptyContext } from '../context/index.ts';
import { RestartTree } from '../engine/restart.ts';
import { notRecorded } from '../journal/index.ts';
import type { TextReader } from '../model/index.ts';
import { coachEmptyReply, hintsFor, notes, noteText } from '../prompt/index.ts';
import { type Command, createReplyParser, parseReply, splitReasoning, withoutReasoning } from '../protocol/index.ts';
import { BROKEN_OFF, type CellsOfReply, type RecordBeginning, type RootReply } from './ask-root.ts';
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
    // A question about a command waits for a person, who should see the whole reply.
    mayBegin: run.engine.defaults.policy?.ask === undefined,
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
  const result = (await refusalOf(command, id, turn)) ?? (await runToEnd(command, id, turn));
  // The end of the run cut the command short, which says nothing about the command: a resumed run runs it again.
  if (stop.workSignal.aborted) return result;
  const { restarted } = result;
  if (restarted?.killed === true && tree.restart?.takes(`${journal.path} ${id}`)) throw new RestartTree(restarted);
  journal.command(journalCommand(id, command, result));
  return result;
}

/** The result of a command that a policy refuses. Its code is loaded where there is a policy. */
async function refusalOf(command: ActiveCommand, id: string, turn: TurnContext): Promise<CommandResult | undefined> {
  const { policy } = turn.run.engine.defaults;
  if (policy === undefined) return undefined;
  const { refusedByPolicy } = await import('./check-policy.ts');
  return await refusedByPolicy(policy, command, { id, turn });
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

/** A command that may run before its reply is complete. */
type EarlyCommand = Extract<Command, { type: 'cell' | 'bash' }>;

/** The parts of a turn that early cells need. */
interface EarlyOptions {
  /** Runs the command of that place in the reply. */
  readonly execute: (command: EarlyCommand, index: number) => Promise<void>;
  /** False: every command waits for the end of the reply. */
  readonly mayBegin: boolean;
  /** Nothing more of the turn is run: it has its answer, or the run was stopped. */
  readonly isOver: () => boolean;
  /** The run cannot continue: a REPL was lost, or the store failed. */
  readonly onFailure: (error: unknown) => void;
}

interface BegunCell {
  readonly command: EarlyCommand;
  readonly index: number;
  /** The reply up to the end of the command. */
  readonly part: string;
  readonly record: RecordBeginning;
}

/** A line with its end. */
const WHOLE_LINE = /[^\r\n]*(?:\r\n?|\n)/g;

/**
 * Runs the cells of a reply while the rest of it arrives. The reply up to the closing line of a cell is on record before
 * that cell runs: from then on it is the beginning of the turn's reply, whatever becomes of the stream.
 *
 * A command is certain once the parser gives it out: never while reasoning is open, and never an untagged block.
 */
export class EarlyCells implements CellsOfReply {
  readonly #options: EarlyOptions;
  #work: Promise<void> = Promise.resolve();
  #beginning: string | undefined;
  #executed = 0;
  /** Counts attempts: cells of one that broke off before any of them began are not run. */
  #attempt = 0;

  constructor(options: EarlyOptions) {
    this.#options = options;
  }

  get beginning(): string | undefined {
    return this.#beginning;
  }

  /** Commands of the reply that are done. */
  get executed(): number {
    return this.#executed;
  }

  /** Resolves when everything that was begun has ended. */
  async settled(): Promise<void> {
    await this.#work;
  }

  reader(record: RecordBeginning): TextReader {
    const attempt = ++this.#attempt;
    const parser = createReplyParser();
    let text = '';
    let line = '';
    let found = 0;
    let open = this.#options.mayBegin;
    const begin = (command: EarlyCommand, index: number): void => {
      const part = text;
      // Text that has arrived already is read first: a reply that ends with its block has nothing to gain.
      setImmediate(() => {
        if (attempt === this.#attempt) this.#begin({ command, index, part, record });
      });
    };
    return (delta) => {
      if (this.#beginning !== undefined && this.#options.isOver()) return 0;
      line += delta;
      let used = 0;
      for (const [whole] of line.matchAll(WHOLE_LINE)) {
        // The line feed of a CR may still be on its way.
        if (whole.endsWith('\r') && used + whole.length === line.length) break;
        used += whole.length;
        text += whole;
        const { commands, rejected } = parser.push(whole);
        for (const command of commands) {
          open &&= command.type === 'cell' || command.type === 'bash';
          if (open) begin(command as EarlyCommand, found);
          found += 1;
        }
        if (this.#beginning !== undefined && rejected.some(({ code }) => code === 'invented-output')) {
          return delta.length - (line.length - used);
        }
      }
      line = line.slice(used);
      return undefined;
    };
  }

  endAttempt(): boolean {
    this.#attempt += 1;
    return this.#beginning === undefined;
  }

  #begin({ command, index, part, record }: BegunCell): void {
    this.#beginning = part;
    this.#work = this.#work.then(async () => {
      if (this.#options.isOver()) return;
      try {
        await record(part);
        await this.#options.execute(wellFormed(command), index);
        this.#executed = index + 1;
      } catch (error) {
        this.#options.onFailure(error);
      }
    });
  }
}

/** As the whole reply will have it: half a character is replaced there. */
function wellFormed(command: EarlyCommand): EarlyCommand {
  if (command.type === 'cell') return { ...command, code: command.code.toWellFormed() };
  return { ...command, command: command.command.toWellFormed() };
}
