import type { CallNode, CommandNode, TurnNode } from '../run-node.ts';
import { promptOf } from './call-pages.ts';
import type { RunEntry, RunIndex } from './index-run.ts';
import { sourceOf } from './turn-pages.ts';

/** A text of a run: the handle of what it belongs to, its own handle, and its name in words. */
export interface NamedText {
  readonly key: string;
  readonly ref: string;
  readonly field: string;
  readonly text: string;
}

/** Every text of a tree. A reply holds the code of its turn, so code is not listed again. */
export function* textsOf(index: RunIndex): Generator<NamedText> {
  for (const entry of index.runList) {
    const { node } = entry;
    const { runId } = node;
    yield* runTexts(entry);
    for (const turn of node.turns) {
      yield* turnTexts(`${runId}/t${turn.number}`, turn);
      for (const command of turn.commands) {
        yield* commandTexts(`${runId}/${command.id}`, command);
        for (const [at, call] of command.calls.entries()) yield* callTexts(`${runId}/${command.id}/c${at}`, call);
      }
    }
  }
}

function* runTexts({ node, answer }: RunEntry): Generator<NamedText> {
  yield text(node.runId, 'query', 'question', node.query);
  yield text(node.runId, 'answer', 'answer', answer);
}

function* turnTexts(key: string, { reply, reasoning, feedback }: TurnNode): Generator<NamedText> {
  yield text(key, 'reply', 'reply', reply);
  if (reasoning !== undefined) yield text(key, 'reasoning', 'reasoning', reasoning);
  yield text(key, 'feedback', 'feedback', feedback);
}

function* commandTexts(key: string, node: CommandNode): Generator<NamedText> {
  const { shown, stdout, stderr, error } = node;
  yield text(key, 'source', 'code', sourceOf(node).source);
  yield text(key, 'shown', 'output', shown);
  if (!shown.includes(stdout.trim())) yield text(key, 'stdout', 'output in full', stdout);
  if (!shown.includes(stderr.trim())) yield text(key, 'stderr', 'error output', stderr);
  if (error !== undefined) yield text(key, 'error', 'error', error.message);
}

function* callTexts(key: string, call: CallNode): Generator<NamedText> {
  yield text(key, 'prompt', 'prompt', promptOf(call));
  if (call.reply !== '') yield text(key, 'reply', 'reply', call.reply);
  if (call.reasoning !== undefined) yield text(key, 'reasoning', 'reasoning', call.reasoning);
  if (call.error !== undefined) yield text(key, 'error', 'error', call.error.message);
}

function text(key: string, name: string, field: string, content: string): NamedText {
  return { key, ref: `${key}/${name}`, field, text: content };
}

/** The whole text behind a handle; undefined where there is no such text. */
export function textOf(index: RunIndex, ref: string): string | undefined {
  const [runId = '', part = '', ...rest] = ref.split('/');
  const entry = index.runs.get(runId);
  if (entry === undefined) return undefined;
  const find = (texts: Iterable<NamedText>): string | undefined => {
    for (const each of texts) if (each.ref === ref) return each.text;
    return undefined;
  };
  const [, number = '', id] = /^t(\d+)(\.\d+)?$/.exec(part) ?? [];
  if (number === '') return find(runTexts(entry));
  const turn = entry.node.turns.find((each) => each.number === Number(number));
  if (turn === undefined) return undefined;
  if (id === undefined) return find(turnTexts(`${runId}/${part}`, turn));
  const command = turn.commands.find((each) => each.id === part);
  if (command === undefined) return undefined;
  const [, at] = /^c(\d+)$/.exec(rest[0] ?? '') ?? [];
  if (at === undefined) return find(commandTexts(`${runId}/${part}`, command));
  const call = command.calls[Number(at)];
  return call === undefined ? undefined : find(callTexts(`${runId}/${part}/c${at}`, call));
}
