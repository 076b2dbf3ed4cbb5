import type { VariableInfo } from '../repl/port.ts';
import { quoted, sentence, toCopy } from './quoted.ts';
import { panel } from './variables-panel.ts';

/** The result of one command, for the model. */
export interface CommandFeedback {
  /** Its handle, e.g. `t3.0`. */
  readonly id: string;
  /** The kind of command, e.g. `cell`, `bash`, `snapshot before-merge`. */
  readonly label: string;
  readonly ok: boolean;
  /** Bounded output, errors last. */
  readonly shown: string;
  readonly durationMs: number;
  readonly subCalls: number;
  readonly failedSubCalls: number;
  /** Tokens of its sub-calls, input and output together. */
  readonly tokens: number;
  /** US dollars of its sub-calls; null where the price of one is unknown. */
  readonly costUsd: number | null;
}

/** The run's progress, for the end of the message. */
export interface TurnBudget {
  /** The turn the model is about to take. */
  readonly nextTurn: number;
  readonly maxTurns: number;
  readonly left: BudgetLeft;
}

/** The amounts left in the budgets; undefined where there is no limit. */
export interface BudgetLeft {
  readonly subCalls: { readonly left: number; readonly limit: number };
  readonly tokens: { readonly left: number; readonly limit: number };
  readonly costUsd?: { readonly left: number; readonly limit: number };
  readonly ms: { readonly left: number; readonly limit: number };
}

/** One sentence to the model, without its full stop, and the exact text to send where it is known. */
export interface Note {
  readonly text: string;
  /** Commands in the right form, filled in: they can be sent as they are. */
  readonly send?: string;
}

/** The content of the message after a turn. */
export interface FeedbackInput {
  readonly commands: readonly CommandFeedback[];
  /** One precise sentence per command that was malformed or refused, and hints. */
  readonly notes: readonly (string | Note)[];
  /** Variables after the turn; those that it made or changed are marked. */
  readonly variables: readonly VariableInfo[] | undefined;
  /** Undefined when no turn follows. */
  readonly budget: TurnBudget | undefined;
}

/**
 * The user message after a turn. Its volatile parts are at its end. Every line of an output begins with
 * {@link QUOTE_MARK}: all others are the runtime's own.
 */
export function feedbackMessage(input: FeedbackInput): string {
  const parts = [...input.commands.map(commandSection), ...input.notes.map(noteSection)];
  if (input.variables !== undefined) parts.push(panel(input.variables));
  if (input.budget !== undefined) parts.push(turnLine(input.budget));
  return parts.filter((part) => part !== '').join('\n\n');
}

/** A note as plain text, for an event. */
export function noteText(note: string | Note): string {
  if (typeof note === 'string') return note;
  return note.send === undefined ? note.text : `${note.text.replace(/[.:\s]+$/, '')}: ${note.send}`;
}

function noteSection(note: string | Note): string {
  if (typeof note === 'string') return sentence(`Note: ${note}`);
  const { text, send } = note;
  const said = text.replace(/[.:\s]+$/, '');
  return send === undefined ? sentence(`Note: ${said}.`) : `${sentence(`Note: ${said}:`)}\n${toCopy(send)}`;
}

function commandSection(command: CommandFeedback): string {
  const status = command.ok ? 'ok' : 'failed';
  const head = `[${command.id}] ${command.label}: ${status}, ${seconds(command.durationMs)}${callsClause(command)}`;
  return command.shown === '' ? `${head}\n(no output)` : `${head}\n${quoted(command.shown)}`;
}

/** US dollars below which a cost is not shown. */
const SMALLEST_COST = 0.0001;

/** `, 60 sub-calls (58 ok, 2 failed), 38k tokens, $0.01`. */
function callsClause({ subCalls, failedSubCalls, tokens, costUsd }: CommandFeedback): string {
  if (subCalls === 0) return '';
  const failed = failedSubCalls > 0 ? `, ${failedSubCalls} failed` : '';
  const cost =
    costUsd === null || costUsd < SMALLEST_COST
      ? ''
      : `, $${costUsd < 0.01 ? costUsd.toPrecision(1) : costUsd.toFixed(2)}`;
  const noun = subCalls === 1 ? 'sub-call' : 'sub-calls';
  return `, ${subCalls} ${noun} (${subCalls - failedSubCalls} ok${failed}), ${tokenWords(tokens)} tokens${cost}`;
}

function tokenWords(tokens: number): string {
  return tokens < 10_000 ? `${tokens}` : `${Math.round(tokens / 1_000)}k`;
}

/** Turn i of n and what is left, with advice at 60 and 90 % of any budget. */
export function turnLine(budget: TurnBudget): string {
  const { left } = budget;
  // A resource without a limit is left out.
  const parts = [
    ...(Number.isFinite(left.subCalls.left) ? [`${left.subCalls.left} sub-calls`] : []),
    ...(Number.isFinite(left.tokens.left) ? [`${left.tokens.left} tokens`] : []),
    ...(left.costUsd === undefined ? [] : [`$${left.costUsd.left.toFixed(2)}`]),
    ...(Number.isFinite(left.ms.left) ? [seconds(left.ms.left)] : []),
  ];
  const used = Math.max(
    usedFraction({ left: budget.maxTurns - budget.nextTurn + 1, limit: budget.maxTurns }),
    usedFraction(left.subCalls),
    usedFraction(left.tokens),
    left.costUsd === undefined ? 0 : usedFraction(left.costUsd),
    usedFraction(left.ms),
  );
  const advice =
    used >= 0.9
      ? ' Almost nothing is left: answer now with what you have.'
      : used >= 0.6
        ? ' More than half is used: narrow down and work towards the answer.'
        : '';
  const turns = Number.isFinite(budget.maxTurns) ? ` of ${budget.maxTurns}` : '';
  const rest = parts.length === 0 ? '' : ` Left: ${parts.join(', ')}.`;
  return `Turn ${budget.nextTurn}${turns} is next.${rest}${advice}`;
}

function usedFraction(budget: { readonly left: number; readonly limit: number }): number {
  if (!Number.isFinite(budget.limit) || budget.limit <= 0) return 0;
  return 1 - budget.left / budget.limit;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(2)} s` : `${Math.round(ms / 1000)} s`;
}
