/**
 * Which calls are shown, and in which order.
 *
 * @module
 */
import type { CallLine } from '../data/source.ts';

export type Column = 'place' | 'cell' | 'model' | 'prompt' | 'reply' | 'tokens' | 'cost' | 'time' | 'tries' | 'status';

export interface CallFilter {
  readonly words: string;
  readonly status: '' | 'ok' | 'failed' | 'open' | 'child';
  readonly model: string;
  /** The handle of a run or command. */
  readonly below: string | null;
}

export interface Order {
  readonly column: Column;
  readonly down: boolean;
}

/** `t3.0`, and for calls of children how deep. */
export function cellOf({ key }: CallLine): string {
  return key.split('/')[1] ?? '';
}

export function statusOf({ ok, child, code }: CallLine): { readonly tone: string; readonly words: string } {
  if (ok === null) return { tone: 'mute', words: 'open' };
  if (!ok) return { tone: 'bad', words: code ?? 'failed' };
  return { tone: child === null ? 'ok' : 'tone-child', words: child === null ? 'ok' : 'child' };
}

/** The calls that a filter leaves, in order. */
export function selectCalls(
  calls: readonly CallLine[],
  filter: CallFilter,
  { column, down }: Order,
): readonly CallLine[] {
  const words = filter.words.trim().toLowerCase();
  const { below } = filter;
  const selected = calls.filter(
    (call) =>
      (below === null || call.key.startsWith(`${below}/`) || call.key === below) &&
      (filter.model === '' || call.model === filter.model) &&
      hasStatus(call, filter.status) &&
      (words === '' || textOf(call).includes(words)),
  );
  if (column === 'place') return down ? selected.toReversed() : selected;
  const value = VALUES[column];
  const sign = down ? -1 : 1;
  return selected.toSorted((a, b) => sign * compare(value(a), value(b)));
}

function textOf({ prompt, reply, model, code, key }: CallLine): string {
  return `${prompt}\n${reply}\n${model}\n${code ?? ''}\n${key}`.toLowerCase();
}

function hasStatus({ ok, child }: CallLine, status: CallFilter['status']): boolean {
  if (status === '') return true;
  if (status === 'child') return child !== null;
  return status === 'open' ? ok === null : status === 'ok' ? ok === true : ok === false;
}

type Value = string | number;

const VALUES: Readonly<Record<Exclude<Column, 'place'>, (call: CallLine) => Value>> = {
  cell: (call) => cellOf(call),
  model: ({ model }) => model,
  prompt: ({ promptChars }) => promptChars,
  reply: ({ replyChars }) => replyChars,
  tokens: ({ inputTokens, outputTokens }) => inputTokens + outputTokens,
  cost: ({ costUsd }) => costUsd ?? -1,
  time: ({ ms }) => ms ?? -1,
  tries: ({ attempts }) => attempts,
  status: (call) => statusOf(call).words,
};

function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return a === b ? 0 : a < b ? -1 : 1;
}
