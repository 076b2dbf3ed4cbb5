import type { CommandNode, RunNode, TurnNode } from '../../view/run-node.ts';
import type { Colors } from '../screen/console.ts';
import { counted, duration, money, refusalWords } from '../screen/figures.ts';
import { onOneLine } from '../screen/terminal-text.ts';

export interface TreeLinesOptions {
  readonly colors: Colors;
  readonly width: number;
}

/** The turns of a run, their commands, and the children these started, each further in. */
export function treeLines(run: RunNode, options: TreeLinesOptions, indent = ''): readonly string[] {
  return run.turns.flatMap((turn) => turnLines(turn, options, indent));
}

function turnLines(turn: TurnNode, options: TreeLinesOptions, indent: string): readonly string[] {
  const { colors } = options;
  const took = turn.durationMs === null ? 'not ended' : duration(turn.durationMs);
  return [
    `${indent}${colors.bold(`turn ${turn.number}`)} ${colors.dim(`· ${took}`)}`,
    ...turn.commands.flatMap((command) => commandLines(command, options, `${indent}  `)),
    ...turn.rejected.map((rejection) => line(`${indent}  `, colors.yellow('!'), refusalWords(rejection), options)),
  ];
}

function commandLines(command: CommandNode, options: TreeLinesOptions, indent: string): readonly string[] {
  const { colors } = options;
  const mark = command.ok === null ? colors.dim('·') : command.ok ? colors.green('✓') : colors.red('✗');
  const facts = [
    command.durationMs === null ? '' : duration(command.durationMs),
    command.timedOut ? 'timed out' : '',
    command.subCalls === 0 ? '' : subCallWords(command),
  ].filter((part) => part !== '');
  const tail = facts.length === 0 ? '' : ` · ${facts.join(' · ')}`;
  const { error } = command;
  return [
    // Where the line is too narrow for both, the source is cut and not the facts.
    `${line(indent, mark, `${command.id} ${sourceOf(command)}`, { ...options, width: options.width - tail.length })}${tail}`,
    ...(error === undefined ? [] : [line(`${indent}  `, colors.red('!'), `${error.type}: ${error.message}`, options)]),
    ...command.children.flatMap((child) => childLines(child, options, `${indent}  `)),
  ];
}

function childLines(child: RunNode, options: TreeLinesOptions, indent: string): readonly string[] {
  const { end, figures } = child;
  const how = end === null ? 'not ended' : `${end.outcome} (${end.stop})`;
  const where = child.worker === undefined ? '' : ` · ${onOneLine(child.worker, 80)}`;
  const head = `${JSON.stringify(onOneLine(child.query, 80))} · ${how} · ${money(figures.costUsd)} · run ${child.runId}${where}`;
  return [line(indent, options.colors.cyan('└'), head, options), ...treeLines(child, options, `${indent}  `)];
}

/** The most informative part of a command's source, shortened. */
function sourceOf({ command }: CommandNode): string {
  const {
    type,
    code,
    command: bash,
    value,
    name,
    prompt,
    items,
  } = command as {
    readonly type: string;
    readonly [field: string]: unknown;
  };
  const text = code ?? bash ?? value ?? name ?? prompt ?? (Array.isArray(items) ? counted(items.length, 'prompt') : '');
  return `${type} ${onOneLine(String(text), 60)}`.trimEnd();
}

function subCallWords({ subCalls, failedSubCalls }: CommandNode): string {
  return `${counted(subCalls, 'sub-call')}${failedSubCalls > 0 ? ` (${failedSubCalls} failed)` : ''}`;
}

function line(indent: string, mark: string, text: string, { width }: TreeLinesOptions): string {
  return `${indent}${mark} ${onOneLine(text, Math.max(20, width - indent.length - 2))}`;
}
