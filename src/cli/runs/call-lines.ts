import type { CallNode, RunNode } from '../../view/run-node.ts';
import type { Colors } from '../screen/console.ts';
import { compact, counted, duration, money } from '../screen/figures.ts';
import { table } from '../screen/layout.ts';
import { forTerminal, onOneLine } from '../screen/terminal-text.ts';

export interface CallLinesOptions {
  readonly colors: Colors;
  readonly width: number;
  /** Whole prompts and replies instead of one line of each. */
  readonly full: boolean;
}

/** A sub-call with the handle of its cell; of a child's call also those of the cells above it, e.g. `t1.0>t2.0`. */
interface PlacedCall {
  readonly cell: string;
  readonly call: CallNode;
}

const HEAD = ['CELL', 'MODEL', 'IN', 'OUT', 'COST', 'TIME', 'TRIES', ''] as const;
/** Columns of everything but the model's name, in the usual case. */
const OTHER_COLUMNS = 54;
/** Columns of a name in a narrow terminal. */
const LEAST_NAME_COLUMNS = 12;

/** All sub-calls of a run and its children: a table, and below each row the prompt and the reply. */
export function callLines(run: RunNode, options: CallLinesOptions): readonly string[] {
  const { colors, width } = options;
  const placed = callsOf(run, '');
  if (placed.length === 0) return ['This run made no sub-calls.'];
  const [head = '', ...rows] = table([HEAD, ...placed.map((call) => rowOf(call, width))], width);
  const lines = placed.flatMap(({ call }, index) => [
    onOneLineKeepingBlanks(rows[index] ?? '', width),
    ...(call.messages === null ? [] : textLines(promptOf(call.messages), { ...options, mark: colors.dim('→') })),
    ...replyLines(call, options),
  ]);
  return [colors.dim(onOneLineKeepingBlanks(head, width)), ...lines];
}

function callsOf({ turns }: RunNode, above: string): readonly PlacedCall[] {
  return turns.flatMap(({ commands }) =>
    commands.flatMap(({ id, calls, children }) => {
      const cell = `${above}${id}`;
      return calls.flatMap((call) => {
        const child = children.find(({ runId }) => runId === call.childRunId);
        return [{ cell, call }, ...(child === undefined ? [] : callsOf(child, `${cell}>`))];
      });
    }),
  );
}

function rowOf({ cell, call }: PlacedCall, width: number): readonly string[] {
  const { model, inputTokens, outputTokens, costUsd, durationMs, attempts } = call;
  return [
    cell,
    onOneLine(model, Math.max(LEAST_NAME_COLUMNS, width - OTHER_COLUMNS)),
    compact(inputTokens),
    compact(outputTokens),
    costUsd === null ? '?' : money(costUsd),
    durationMs === null ? '' : duration(durationMs),
    attempts === 0 ? '' : String(attempts),
    call.childRunId !== undefined ? 'child' : call.ok === null ? 'not ended' : call.ok ? '' : 'failed',
  ];
}

/** Columns stay where they are, so blanks are not joined. */
function onOneLineKeepingBlanks(line: string, width: number): string {
  const characters = [...line];
  return characters.length <= width ? line : `${characters.slice(0, width - 1).join('')}…`;
}

/** The messages as one text: a prompt alone as it is, several with their roles. */
function promptOf(messages: NonNullable<CallNode['messages']>): string {
  const [only, more] = messages;
  if (only !== undefined && more === undefined) return only.content;
  return messages.map(({ role, content }) => `[${role}] ${content}`).join('\n');
}

function replyLines(call: CallNode, options: CallLinesOptions): readonly string[] {
  const { colors } = options;
  const { reply, error, childRunId } = call;
  return [
    ...(reply === '' ? [] : textLines(reply, { ...options, mark: colors.green('←') })),
    ...(error === undefined
      ? []
      : textLines(`${error.message} [${error.code}]`, { ...options, mark: colors.red('✗') })),
    ...(childRunId === undefined ? [] : [`  ${colors.cyan('└')} run ${childRunId}`]),
  ];
}

function textLines(
  text: string,
  { width, full, mark }: CallLinesOptions & { readonly mark: string },
): readonly string[] {
  if (full) {
    const lines = forTerminal(text).trimEnd().split('\n');
    return lines.map((line, index) => `  ${index === 0 ? mark : ' '} ${line}`);
  }
  const size = counted(text.length, 'character');
  const whole = onOneLine(text, Number.POSITIVE_INFINITY);
  const room = width - 4;
  if ([...whole].length <= room) return [`  ${mark} ${whole}`];
  return [`  ${mark} ${onOneLine(text, Math.max(20, room - size.length - 3))} (${size})`];
}

/** Characters of a prompt or reply in `--json`; `--full` has all. */
const HEAD_CHARS = 400;

/** The tree for `--json`: texts of sub-calls cut to their beginning, with their length, unless all are wanted. */
export function treeJson(run: RunNode, full: boolean): RunNode {
  if (full) return run;
  const turns = run.turns.map((turn) => ({
    ...turn,
    commands: turn.commands.map((command) => ({
      ...command,
      ...headOf('stdout', command.stdout),
      ...headOf('stderr', command.stderr),
      calls: command.calls.map(callHead),
      children: command.children.map((child) => treeJson(child, full)),
    })),
  }));
  return { ...run, turns };
}

function callHead(call: CallNode): CallNode {
  const { messages, reply, reasoning } = call;
  return {
    ...call,
    messages: messages?.map((message) => ({ ...message, ...headOf('content', message.content) })) ?? null,
    ...headOf('reply', reply),
    ...(reasoning !== undefined && headOf('reasoning', reasoning)),
  };
}

/** The beginning of a text, and where it is cut its length. */
function headOf(name: string, text: string): Readonly<Record<string, string | number>> {
  if (text.length <= HEAD_CHARS) return { [name]: text };
  return { [name]: text.slice(0, HEAD_CHARS).toWellFormed(), [`${name}Chars`]: text.length };
}
