import type { CommandNode, RunNode, TurnNode } from '../run-node.ts';
import { CODE_CHARS, cut, cutOrNull, pageOf } from './cut.ts';
import { offset, type RunIndex, sumUsd } from './index-run.ts';
import type { CommandView, Page, TurnPart, TurnView } from './page-types.ts';

/** The turns of one run from `from` on. */
export function turnPage(index: RunIndex, run: RunNode, from: number): Page<TurnView> {
  return pageOf(run.turns.length, from, (at) => turnView(index, run, run.turns[at] as TurnNode));
}

function turnView(index: RunIndex, run: RunNode, turn: TurnNode): TurnView {
  const key = `${run.runId}/t${turn.number}`;
  const { number, modelMs, durationMs, model, finishReason, usage, reasoning = '', reply, rejected, feedback } = turn;
  return {
    ...{ key, number, modelMs, ms: durationMs, model, finishReason, usage, rejected },
    at: offset(index, turn.startedAt),
    callsUsd: sumUsd(turn.commands.flatMap(({ calls }) => calls.map(({ costUsd }) => costUsd))),
    reasoning: cutOrNull(reasoning, `${key}/reasoning`),
    reply: cut(reply, `${key}/reply`, 0),
    parts: partsOf(index, run, turn),
    feedback: cutOrNull(feedback, `${key}/feedback`),
    variables: turn.variables ?? variablesIn(feedback),
  };
}

/** The reply in order: a fence that was run is its command, the rest is prose. */
function partsOf(index: RunIndex, run: RunNode, { number, reply, commands }: TurnNode): readonly TurnPart[] {
  const parts: TurnPart[] = [];
  const left = [...commands];
  const prose = (text: string): void => {
    const trimmed = text.trim();
    if (trimmed !== '') parts.push({ kind: 'prose', text: cut(trimmed, `${run.runId}/t${number}/reply`) });
  };
  let end = 0;
  for (const fence of reply.matchAll(FENCE)) {
    const [next] = left;
    if (next === undefined || sourceOf(next).source.trim() !== (fence[2] ?? '').trim()) continue;
    prose(reply.slice(end, fence.index));
    parts.push({ kind: 'command', command: commandView(index, run, next) });
    end = fence.index + fence[0].length;
    left.shift();
  }
  prose(withoutCommands(reply.slice(end), left));
  for (const command of left) parts.push({ kind: 'command', command: commandView(index, run, command) });
  return parts;
}

const FENCE = /^(`{3,}|~{3,})[^\n`]*\n([\s\S]*?)\n?^\1[`~]*[ \t]*$/gm;

/** An answer is shown as a command, so its line is not repeated as prose: the reply as emitted has it. */
function withoutCommands(text: string, [next]: readonly CommandNode[]): string {
  if (next?.command.type.startsWith('final') !== true) return text;
  const at = text.search(/^[\s>*`-]*FINAL(?:_VAR)?\(/m);
  return at < 0 ? text : text.slice(0, at);
}

function commandView(index: RunIndex, run: RunNode, node: CommandNode): CommandView {
  const key = `${run.runId}/${node.id}`;
  const { id, command, durationMs, ok, timedOut, shown, stdout, stderr, error, calls, children } = node;
  const { source, language } = sourceOf(node);
  const more = (text: string): boolean => text.trim() !== '' && !shown.includes(text.trim());
  return {
    ...{ key, id, type: command.type, language, ok, timedOut, ms: durationMs },
    source: cut(source, `${key}/source`, CODE_CHARS),
    at: offset(index, node.startedAt),
    shown: cutOrNull(shown, `${key}/shown`),
    stdout: more(stdout) ? cut(stdout, `${key}/stdout`) : null,
    stderr: more(stderr) ? cut(stderr, `${key}/stderr`) : null,
    error: error === undefined ? null : { type: error.type, message: cut(error.message, `${key}/error`) },
    calls: Math.max(node.subCalls, calls.length),
    failedCalls: Math.max(node.failedSubCalls, calls.filter((call) => call.ok === false).length),
    callTokens: calls.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0),
    callsUsd: sumUsd(calls.map(({ costUsd }) => costUsd)),
    children: children.map(({ runId }) => runId),
  };
}

/** The text of a command, whatever its type calls it. */
export function sourceOf({ command }: CommandNode): {
  readonly source: string;
  readonly language: CommandView['language'];
} {
  const text = (field: string): string => (typeof command[field] === 'string' ? command[field] : '');
  switch (command.type) {
    case 'cell':
      return { source: text('code'), language: 'python' };
    case 'bash':
      return { source: text('command'), language: 'bash' };
    case 'final':
      return { source: text('value'), language: isJson(text('value')) ? 'json' : 'text' };
    case 'query-llm':
      return { source: text('prompt'), language: 'text' };
    case 'query-llm-batched':
      return { source: JSON.stringify(command.items, null, 2), language: 'json' };
    default:
      return { source: text('name'), language: 'text' };
  }
}

function isJson(text: string): boolean {
  return /^\s*[[{]/.test(text) && /[\]}]\s*$/.test(text);
}

/** The panel of variables in a feedback, without its head line. */
function variablesIn(feedback: string): string | null {
  const [, lines = ''] = /^New or changed variables:\n((?: {2}.*(?:\n|$))+)/m.exec(feedback) ?? [];
  return lines === '' ? null : lines.trimEnd().replace(/^ {2}/gm, '');
}
