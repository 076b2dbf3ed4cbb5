import { literalAt } from './scan.ts';

const WORD = /True|False|None|true|false|null/y;
const NUMBER = /[-+]?(?:\d[\d_]*)?\.?\d[\d_]*\.?(?:[eE][-+]?\d+)?/y;
const BLANKS = /(?:\s|#[^\n]*)*/y;
const WORDS: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' };
const BRACKETS: Readonly<Record<string, string>> = { '(': '[', ')': ']', '[': '[', ']': ']', '{': '{', '}': '}' };

/**
 * A Python literal of dicts, lists, tuples, strings, numbers, `True`, `False` and `None` as JSON text: what `print(value)`
 * shows, and what models write for JSON. Undefined for a text with anything else in it; the result may still be no JSON,
 * as that of a set.
 */
export function pythonLiteralAsJson(text: string): string | undefined {
  const pieces: string[] = [];
  let at = endOf(BLANKS, text, 0);
  while (at < text.length) {
    const token = tokenAt(text, at);
    if (token === undefined) return undefined;
    const { json, end } = token;
    const last = pieces.at(-1);
    // Python allows a comma before a closing bracket.
    if ((json === ']' || json === '}') && last === ',') pieces.pop();
    // Neighbouring strings are one.
    if (last?.startsWith('"') === true && json.startsWith('"'))
      pieces.push(`${pieces.pop()?.slice(0, -1)}${json.slice(1)}`);
    else pieces.push(json);
    at = endOf(BLANKS, text, end);
  }
  return pieces.join('');
}

interface Token {
  readonly json: string;
  readonly end: number;
}

function tokenAt(text: string, at: number): Token | undefined {
  const character = text.charAt(at);
  const bracket = BRACKETS[character] ?? (character === ',' || character === ':' ? character : undefined);
  if (bracket !== undefined) return { json: bracket, end: at + 1 };
  const literal = literalAt(text, at);
  if (literal !== undefined) {
    if (/[bf]/.test(literal.prefix)) return undefined;
    return { json: JSON.stringify(literal.value.toWellFormed()), end: literal.end };
  }
  const word = matchAt(WORD, text, at);
  if (word !== '') return { json: WORDS[word] ?? word, end: at + word.length };
  const number = matchAt(NUMBER, text, at);
  return number === '' ? undefined : { json: jsonNumber(number), end: at + number.length };
}

/** `1_000`, `+1`, `.5` and `5.` as JSON writes them. */
function jsonNumber(number: string): string {
  return number
    .replaceAll('_', '')
    .replace(/^\+/, '')
    .replace(/^(-?)\./, '$10.')
    .replace(/\.(?=$|e)/i, '.0');
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function endOf(pattern: RegExp, text: string, at: number): number {
  return at + matchAt(pattern, text, at).length;
}
