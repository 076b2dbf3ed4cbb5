import type { Outcome } from './command.ts';
import { closesFence, type FenceOpening, isExecutedTag, type LooseClosing, looseClosing } from './fence.ts';
import { reject } from './rejection.ts';
import { closeQuote, isTriple, type Quote, quoteAt, search, skipBlanks } from './scan.ts';

/** A fenced block that is being read, line by line. */
export interface FencedBlock {
  readonly opening: FenceOpening;
  /** Takes the next line; true if that line closed the block. */
  readonly add: (line: string) => boolean;
  /** How the block was closed, if its closing fence shared a line with other text. */
  readonly loose: () => LooseClosing | undefined;
  /** The command of the block, once it is closed; undefined if its tag is not executed. */
  readonly outcome: () => Outcome | undefined;
  /** Its text. */
  readonly content: () => string;
  /** The command of the block if the reply ends inside it. */
  readonly unclosedOutcome: (finish: { readonly cutOff: boolean }) => Outcome | undefined;
  /**
   * To be called when the reply ends inside the block. If a closing line stood in a triple-quoted string that never
   * closed, it was the end of the block after all: the block is cut there, and the lines after it are given back, to be
   * read again.
   */
  readonly giveBack: () => readonly string[] | undefined;
}

/**
 * Opens a block.
 *
 * @param neverClosed triple quotes known not to close in the rest of the reply; `giveBack` adds to it. It is shared by
 * all blocks of a reply, so that lines are read again at most once for each of the two triple quotes.
 */
export function openFencedBlock(opening: FenceOpening, neverClosed: Set<Quote>): FencedBlock {
  // Only Python has triple-quoted strings that can hold a closing line; an untagged block may be Python.
  const python = opening.kind === 'cell' || opening.kind === 'untagged';
  let lines: string[] = [];
  let openString: Quote | undefined;
  let loose: LooseClosing | undefined;
  /** Index of the first closing line inside the triple-quoted string that is open. */
  let closingInString: number | undefined;

  function add(line: string): boolean {
    const inString = openString !== undefined && isTriple(openString) && !neverClosed.has(openString);
    if (closesFence(line, opening)) {
      if (!inString) return true;
      closingInString ??= lines.length;
    } else if (!inString) {
      loose = looseClosing(line, opening, 0);
      if (loose !== undefined) {
        if (loose.code !== '') lines.push(loose.code);
        return true;
      }
    }
    if (python) followStrings(line);
    lines.push(line);
    return false;
  }

  function followStrings(line: string): void {
    const end = openString === undefined ? 0 : closeQuote(line, 0, openString);
    if (end === -1) {
      if (openString !== undefined && !isTriple(openString) && !line.endsWith('\\')) openString = undefined;
      return;
    }
    closingInString = undefined;
    openString = stringOpenAfter(line, end);
  }

  function giveBack(): readonly string[] | undefined {
    if (closingInString === undefined || openString === undefined) return undefined;
    neverClosed.add(openString);
    const after = lines.slice(closingInString + 1);
    lines = lines.slice(0, closingInString);
    return after;
  }

  const outcome = (): Outcome | undefined => outcomeOf(opening, lines);
  const unclosedOutcome = ({ cutOff }: { readonly cutOff: boolean }): Outcome | undefined =>
    cutOff && opening.kind !== 'other' && opening.kind !== 'output' ? cutOffBlock(opening) : outcome();
  return {
    opening,
    add,
    loose: () => loose,
    outcome,
    content: () => contentOf(opening, lines),
    unclosedOutcome,
    giveBack,
  };
}

function outcomeOf(opening: FenceOpening, lines: readonly string[]): Outcome | undefined {
  const { kind } = opening;
  if (kind === 'other' || kind === 'output' || kind === 'data') return undefined;
  const content = contentOf(opening, kind === 'untagged' && isExecutedTag(lines[0] ?? '') ? lines.slice(1) : lines);
  if (content.trim() === '') {
    const form = 'put the code on lines of its own between the opening and the closing fence';
    return reject('empty', opening.line, { problem: 'the block holds nothing to run', form });
  }
  return {
    kind: 'command',
    command: kind === 'bash' ? { type: 'bash', command: content } : { type: 'cell', code: content },
  };
}

function cutOffBlock(opening: FenceOpening): Outcome {
  const problem = 'the reply was cut off before the block was closed, so nothing of it ran';
  return reject('cut-off', opening.line, { problem, form: 'write it again, in shorter blocks, one per reply' });
}

/**
 * The block's text. A block indented as a whole (in a list) loses its fence's indentation line by line, so that the shallow
 * lines of a triple-quoted string in it do not keep the rest indented; then what is still shared goes.
 */
function contentOf(opening: FenceOpening, lines: readonly string[]): string {
  const first = lines.find((line) => skipBlanks(line, 0) < line.length);
  const width = opening.indentation;
  const inFence = first !== undefined && width > 0 && skipBlanks(first, 0) >= width;
  const content = inFence ? lines.map((line) => removeIndentation(line, width)) : lines;
  return removeUniformIndentation(content).join('\n');
}

/**
 * Removes the indentation all lines share, as Python's `textwrap.dedent` does; lines of blanks only do not count.
 */
export function removeUniformIndentation(lines: readonly string[]): string[] {
  let shared: string | undefined;
  for (const line of lines) {
    const end = skipBlanks(line, 0);
    if (end === line.length) continue;
    shared = shared === undefined ? line.slice(0, end) : commonStart(shared, line);
    if (shared === '') return [...lines];
  }
  const width = shared?.length ?? 0;
  return width === 0 ? [...lines] : lines.map((line) => removeIndentation(line, width));
}

/** Removes up to `width` characters of indentation from a line, as many as it has. */
export function removeIndentation(line: string, width: number): string {
  return line.slice(Math.min(width, skipBlanks(line, 0)));
}

function commonStart(left: string, right: string): string {
  const most = Math.min(left.length, right.length);
  let length = 0;
  while (length < most && left.charCodeAt(length) === right.charCodeAt(length)) length += 1;
  return left.slice(0, length);
}

const stringOrComment = /["'#]/g;

/**
 * The string that is still open where a line of Python ends, given that none is open at `from`: a triple-quoted one, or a
 * single-quoted one that a backslash carries over the line's end.
 */
export function stringOpenAfter(line: string, from: number): Quote | undefined {
  let at = from;
  for (;;) {
    at = search(stringOrComment, line, at);
    if (at === -1 || line[at] === '#') return undefined;
    const quote = quoteAt(line, at);
    at = closeQuote(line, at + quote.length, quote);
    if (at === -1) return isTriple(quote) || line.endsWith('\\') ? quote : undefined;
  }
}
