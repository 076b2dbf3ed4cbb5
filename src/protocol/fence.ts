import { closeQuote, quoteAt, runLength, search, skipBlanks, skipListMarkers } from './scan.ts';

/**
 * The content of a block, by its fence's tag. `untagged` is a cell only if the reply has no other command; `data` is a
 * tool call or a typed answer, or an example; `output` is what a model takes for the output of its code.
 */
export type FenceKind = 'cell' | 'bash' | 'untagged' | 'data' | 'output' | 'other';

/** The opening line of a fenced block. */
export interface FenceOpening {
  readonly kind: FenceKind;
  readonly character: '`' | '~';
  /** How many of the character opened it: a closing line has at least as many. */
  readonly length: number;
  /** Blanks before the fence: the indentation its content has on top of its own. */
  readonly indentation: number;
  /** The opening line, for messages. */
  readonly line: string;
  /** Code on the opening line itself, when the block also closes there. */
  readonly inline?: string;
}

/** Tags with a meaning, in the spellings of all model families. */
const TAGS: Readonly<Record<Exclude<FenceKind, 'other'>, string>> = {
  cell:
    'python py python3 py3 ipython ipython3 cpython jupyter repl pyrepl python-repl python_repl python-code python_code ' +
    'tool_code run_python execute_python',
  bash: 'bash sh shell zsh',
  data: 'json jsonc json5 tool_call tool_calls tool_use function_call tool',
  output: 'output outputs stdout result results observation execution_result console_output',
  untagged: '',
};

const KINDS: ReadonlyMap<string, FenceKind> = new Map(
  Object.entries(TAGS).flatMap(([kind, tags]) => tags.split(' ').map((tag) => [tag, kind as FenceKind] as const)),
);

/** Matches in every opening line. */
export const FENCE: RegExp = /`{3}|~{3}/;
/** Longest tag that is read. */
const LONGEST_TAG = 24;
const tagHere = new RegExp(`[^ \\t]{0,${LONGEST_TAG}}`, 'y');
/** `{python}`, `{.python}`, `.python`, `python3.11`, `python,run`, `python:title`, `python{…}`. */
const TAG_NAME = /^[{.]{0,2}([a-z_][a-z_-]*\d?)[.\d]*(?=$|[}{,:;=(])/i;

/**
 * The fence that `line` opens, if it opens one: three or more backticks or tildes at its start, after blanks and list
 * markers; or three backticks and an executed tag at its end, behind a sentence. As in CommonMark a backtick fence has no
 * backtick in the rest of its line: that would be inline code, unless it is code behind an executed tag.
 */
export function fenceOpening(line: string): FenceOpening | undefined {
  const start = skipListMarkers(line, 0);
  const character = line.charAt(start);
  if (character !== '`' && character !== '~') return openingBehindText(line);
  const length = runLength(line, start, character);
  if (length < 3) return undefined;
  const opening = { kind: kindOf(line, start + length), character, length, indentation: start, line } as const;
  if (character === '~' || line.indexOf('`', start + length) === -1) return opening;
  return inlineBlock(opening, line.slice(start + length));
}

/** One line with a whole block: ```` ```python print(1)``` ````. */
function inlineBlock(opening: FenceOpening, rest: string): FenceOpening | undefined {
  if (opening.kind !== 'cell' && opening.kind !== 'bash') return undefined;
  const text = rest.trimEnd();
  const end = text.length - opening.length;
  const closes = end > 0 && runLength(text, end, '`') === opening.length && text.charAt(end - 1) !== '`';
  const code = closes ? text.slice(0, end).replace(/^\s*\S+\s+/, '') : '';
  return code.trim() === '' || code.includes('`') ? undefined : { ...opening, inline: code.trim() };
}

const BEHIND_TEXT = /[^`]```([a-z_]{2,20}\d?)[ \t]*$/i;

/** Cohere's Command models write their calls behind this word. */
const ACTION = /^\W*action\W*`{3}/i;

function openingBehindText(line: string): FenceOpening | undefined {
  if (!line.includes('```')) return undefined;
  const tag = BEHIND_TEXT.exec(line)?.[1];
  const kind = tag === undefined ? undefined : KINDS.get(tag.toLowerCase());
  if (kind !== 'cell' && kind !== 'bash' && !(kind === 'data' && ACTION.test(line))) return undefined;
  // An odd backtick before it belongs to inline code.
  const before = line.slice(0, line.lastIndexOf('```'));
  return before.includes('`') ? undefined : { kind, character: '`', length: 3, indentation: 0, line };
}

/** True if `line` closes the fence: at least as many of its character, and nothing else. */
export function closesFence(line: string, opening: FenceOpening): boolean {
  const start = skipBlanks(line, 0);
  if (line.charAt(start) !== opening.character) return false;
  const length = runLength(line, start, opening.character);
  return length >= opening.length && isBlankFrom(line, start + length);
}

/** Nothing but blanks, or the token with which a chat template ends a turn. */
function isBlankFrom(line: string, from: number): boolean {
  const at = skipBlanks(line, from);
  return at === line.length || /^<\|?[\w｜▁|/]{1,24}\|?>\s*$/.test(line.slice(at, at + 40));
}

/** The end of a block on a line that holds other text as well, as models write it by mistake. */
export interface LooseClosing {
  /** Code before the closing fence. */
  readonly code: string;
  /** Text behind it, to be read as a line of its own. */
  readonly after: string;
}

/**
 * The closing fence of an executed block that shares its line: at the end of the last line of code, or before a
 * sentence or the next block. Undefined inside a string or a comment of that line.
 *
 * @param from column at which no string is open
 */
export function looseClosing(line: string, opening: FenceOpening, from: number): LooseClosing | undefined {
  const { kind, character, length } = opening;
  if (kind !== 'cell' && kind !== 'bash' && kind !== 'untagged') return undefined;
  const start = skipBlanks(line, 0);
  if (kind === 'cell' && from === 0 && line.charAt(start) === character) {
    const run = runLength(line, start, character);
    if (run < length) return undefined;
    const next = fenceOpening(line);
    return { code: '', after: next === undefined || next.kind === 'other' ? line.slice(start + run) : line };
  }
  const text = line.trimEnd();
  let end = text.length;
  while (end > 0 && text.charAt(end - 1) === character) end -= 1;
  if (text.length - end < length || end === 0 || !isCode(text, from, end)) return undefined;
  return { code: text.slice(0, end), after: '' };
}

const stringOrComment = /["'#]/g;

/** True if the column is neither in a string nor in a comment that begins on this line. */
function isCode(line: string, from: number, column: number): boolean {
  let at = search(stringOrComment, line, from);
  while (at !== -1 && at < column) {
    if (line.charAt(at) === '#') return false;
    const quote = quoteAt(line, at);
    const end = closeQuote(line, at + quote.length, quote);
    if (end === -1 || end > column) return false;
    at = search(stringOrComment, line, end);
  }
  return true;
}

/** The kind by the first word after the fence, in any case. */
function kindOf(line: string, from: number): FenceKind {
  tagHere.lastIndex = skipBlanks(line, from);
  const word = tagHere.exec(line)?.[0] ?? '';
  const tag = word === '' ? '' : TAG_NAME.exec(word)?.[1];
  return (tag === undefined ? undefined : KINDS.get(tag.toLowerCase())) ?? 'other';
}

/** True for a line that is nothing but a tag of executed code: some models put it below the fence. */
export function isExecutedTag(line: string): boolean {
  return KINDS.get(line.trim().toLowerCase()) === 'cell';
}
