import type { BatchItem, BatchQuery } from './command.ts';
import { literalAt, search } from './scan.ts';

/** The items of a batch, or what is wrong with the list. */
export type QueryList =
  | { readonly type: 'items'; readonly items: readonly BatchItem[] }
  | {
      readonly type: 'problem';
      readonly code: 'invalid-item' | 'invalid-list' | 'extra-arguments';
      readonly problem: string;
    };

/** Stops the reading of a list; it never leaves this module. */
interface Problem {
  readonly code: 'invalid-item' | 'invalid-list';
  readonly problem: string;
}

interface Found<T> {
  readonly value: T;
  readonly end: number;
}

/**
 * Reads a Python or JSON list of prompts: strings, and dicts with `prompt` and the options of `llm_query`. Neighbouring
 * strings are one, comments and a last comma are allowed, as in Python.
 */
export function readQueryList(text: string): QueryList {
  if (text[0] !== '[') return problem('invalid-list', 'the argument is not a list');
  const items: BatchItem[] = [];
  let at = skipSpace(text, 1);
  while (text[at] !== ']') {
    const item = readItem(text, at, items.length + 1);
    if ('problem' in item) return problem(item.code, item.problem);
    items.push(item.value);
    at = skipSpace(text, item.end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
    else if (at >= text.length) return problem('invalid-list', 'the list has no closing bracket');
    else if (text[at] !== ']') return problem('invalid-item', `item ${items.length} is more than a string or a dict`);
  }
  const after = skipSpace(text, at + 1);
  if (text[after] === ',') return { type: 'problem', code: 'extra-arguments', problem: 'a comma follows the list' };
  return after < text.length ? problem('invalid-list', 'text follows the list') : { type: 'items', items };
}

function problem(code: Problem['code'], text: string): QueryList {
  return { type: 'problem', code, problem: text };
}

function readItem(text: string, at: number, number: number): Found<BatchItem> | Problem {
  if (at >= text.length) return { code: 'invalid-list', problem: 'the list has no closing bracket' };
  if (text[at] === '{') return readQuery(text, at, number);
  const prompt = readString(text, at);
  if (prompt === undefined)
    return { code: 'invalid-item', problem: `item ${number} is neither a plain string nor a dict` };
  if (prompt.value.trim() === '') return { code: 'invalid-item', problem: `item ${number} is an empty prompt` };
  return prompt;
}

/** One or more string literals in a row, which are one string. Bytes and f-strings are not plain strings. */
function readString(text: string, at: number): Found<string> | undefined {
  let value = '';
  let end = at;
  for (;;) {
    const start = skipSpace(text, end);
    const literal = literalAt(text, start);
    if (literal === undefined) return end === at ? undefined : { value, end };
    if (literal.prefix.includes('b') || literal.prefix.includes('f')) return undefined;
    value += literal.value;
    end = literal.end;
  }
}

type Scalar = string | number | boolean | null;

/** A dict item: keys are strings, values are scalars. */
function readQuery(text: string, start: number, number: number): Found<BatchQuery> | Problem {
  const fields = new Map<string, Scalar>();
  let at = skipSpace(text, start + 1);
  while (text[at] !== '}') {
    const key = readString(text, at);
    const colon = key && skipSpace(text, key.end);
    if (key === undefined || colon === undefined || text[colon] !== ':')
      return badItem(number, 'is not a well-formed dict');
    const value = readScalar(text, skipSpace(text, colon + 1));
    if (value === undefined) return badItem(number, `has no plain value for ${JSON.stringify(key.value.slice(0, 40))}`);
    fields.set(key.value, value.value);
    at = skipSpace(text, value.end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
    else if (text[at] !== '}') return badItem(number, 'is not a well-formed dict');
  }
  const query = queryOf(fields);
  return typeof query === 'string' ? badItem(number, query) : { value: query, end: at + 1 };
}

function badItem(number: number, what: string): Problem {
  return { code: 'invalid-item', problem: `item ${number} ${what}` };
}

const scalarHere = /-?\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?|True|False|None|true|false|null/y;
const words: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ['True', true],
  ['true', true],
  ['False', false],
  ['false', false],
  ['None', null],
  ['null', null],
]);

function readScalar(text: string, at: number): Found<Scalar> | undefined {
  const string = readString(text, at);
  if (string !== undefined) return string;
  scalarHere.lastIndex = at;
  const source = scalarHere.exec(text)?.[0];
  if (source === undefined) return undefined;
  const word = words.get(source);
  return { value: word === undefined ? Number(source.replaceAll('_', '')) : word, end: at + source.length };
}

/** The query that a dict describes, or what is wrong with it. A value of None is an option that was not given. */
function queryOf(fields: ReadonlyMap<string, Scalar>): BatchQuery | string {
  const query: { prompt: string; model?: string; system?: string; max_tokens?: number } = { prompt: '' };
  for (const [key, value] of fields) {
    if (key !== 'prompt' && value === null) continue;
    if (key === 'max_tokens') {
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)
        return 'needs a positive whole max_tokens';
      query.max_tokens = value;
    } else if (key === 'prompt' || key === 'model' || key === 'system') {
      if (typeof value !== 'string') return `needs a string as ${key}`;
      query[key] = value;
    } else return `has the unknown key ${JSON.stringify(key.slice(0, 40))} (known: prompt, system, model, max_tokens)`;
  }
  return query.prompt.trim() === '' ? 'has no prompt' : query;
}

const notSpace = /\S/g;

/** The index after white space and Python comments at `from`; at least the length of the text if nothing else is left. */
function skipSpace(text: string, from: number): number {
  let at = search(notSpace, text, from);
  while (at !== -1 && text[at] === '#') {
    const lineEnd = text.indexOf('\n', at);
    at = lineEnd === -1 ? -1 : search(notSpace, text, lineEnd);
  }
  return at === -1 ? text.length : at;
}
