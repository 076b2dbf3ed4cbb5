/**
 * The commands of a turn, executed. `run-command.ts` writes an {@link ExecutedCommand} once; the event, the feedback, the
 * history, the journal, the hints and the trajectory are pure projections of it.
 *
 * @module
 */
import type { HistoryCommand } from '../engine/history.ts';
import type { CellCompleted } from '../event/event.ts';
import type { CommandRun } from '../journal/index.ts';
import type { RemovedTurn } from '../prompt/compacted-turns.ts';
import type { CellFacts, CommandFeedback } from '../prompt/index.ts';
import type { Command } from '../protocol/index.ts';
import type { Answer, RestartInfo, VariableInfo } from '../repl/port.ts';
import type { AskedCalls } from '../subcall/tally.ts';
import type { SubCall } from '../trajectory.ts';

/** A command that is executed: every one but a final answer. */
export type ActiveCommand = Exclude<Command, { type: 'final' | 'final-var' }>;

/** The result of a command, before anything is known of its place in the turn. */
export interface CommandResult {
  readonly ok: boolean;
  /** The model has to see this before it may answer: a cell that raised, or a command that could not run. */
  readonly failed: boolean;
  /** Names it in the feedback, e.g. `cell`, `bash (exit code 1)`. */
  readonly label: string;
  /** The text for the model, without durations and marks. */
  readonly shown: string;
  /** All of its output, untruncated, for `history`. */
  readonly output: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly error?: { readonly type: string; readonly message: string; readonly traceback?: string };
  readonly timedOut: boolean;
  /** The REPL was killed and came back. */
  readonly restarted?: RestartInfo;
  /** Names of the runtime that the cell had overwritten. */
  readonly rebound?: readonly string[];
  /** False when there is no draft after the cell. Absent when it is not known. */
  readonly drafted?: boolean;
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

/** A cell or a bash command. */
export function isCode({ command }: Pick<ExecutedCommand, 'command'>): boolean {
  return command.type === 'cell' || command.type === 'bash';
}

/** The facts that hints are chosen by. `reply`: the reply that contains the command. */
export function cellFacts(command: ExecutedCommand, reply: string): CellFacts {
  const { ok, error, answer, asked, rebound = [] } = command;
  const code = command.command.type === 'cell' ? command.command.code : '';
  return {
    code,
    ok,
    error,
    rebound,
    unclosed: code !== '' && reply.trimEnd().endsWith(code.trimEnd()),
    answered: answer !== undefined,
    ...asked,
  };
}

/** The command as its event. */
export function completedEvent(turn: number, command: ExecutedCommand): CellCompleted {
  const { id, ok, shown, stdout = '', stderr = '', error, subCalls, durationMs, timedOut } = command;
  return {
    type: 'cell.completed',
    turn,
    id,
    ok,
    shown,
    stdout,
    stderr,
    ...(error !== undefined && { error: { type: error.type, message: error.message } }),
    subCalls: subCalls.length,
    failedSubCalls: failedCalls(command),
    durationMs,
    timedOut,
  };
}

/** The command as the feedback shows it. */
export function commandFeedback(command: ExecutedCommand): CommandFeedback {
  const { id, label, ok, shown, durationMs, subCalls } = command;
  const spent = subCalls.map(({ usage }) => usage);
  return {
    id,
    label,
    ok,
    shown,
    durationMs,
    subCalls: subCalls.length,
    failedSubCalls: failedCalls(command),
    tokens: spent.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0),
    costUsd: spent.reduce<number | null>(
      (sum, { costUsd }) => (sum === null || costUsd === null ? null : sum + costUsd),
      0,
    ),
  };
}

function failedCalls({ subCalls }: ExecutedCommand): number {
  return subCalls.filter(({ ok }) => !ok).length;
}

/** The command as `history` holds it. */
export function historyCommand({ id, command, ok, output, error }: ExecutedCommand): HistoryCommand {
  const raised = error === undefined ? {} : { error: { type: error.type, message: error.message } };
  return { id, kind: command.type, ok, code: sourceOf(command), output, ...raised };
}

/** The command as a conversation lists it when its text has left the window. */
export function commandFacts({ id, command, ok, output }: ExecutedCommand): RemovedTurn['commands'][number] {
  return { id, kind: command.type, ok, chars: output.length };
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
