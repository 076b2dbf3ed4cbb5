/** Everything a model may read as the end of a line: what Python's `str.splitlines` splits at. */
const LINE_ENDS = ['\r\n', '\n', '\r', '\v', '\f', '\x1c', '\x1d', '\x1e', '\x85', '\u2028', '\u2029'];
const LINE_END = new RegExp(LINE_ENDS.join('|'), 'g');

/** Begins each line of what the runtime did not write: output, errors, previews of the context. */
export const QUOTE_MARK = '| ';

/**
 * Text that the runtime did not write, marked line by line: no line of it can pass for a status line, a note or a turn
 * line. The mark belongs to the message and not to the output: hashes of outputs are taken without it.
 */
export function quoted(text: string, indent = ''): string {
  const lines = text.split(LINE_END);
  // A line end at the end of an output ends its last line; it does not begin an empty one.
  if (lines.length > 1 && lines.at(-1) === '') lines.pop();
  return lines.map((line) => `${indent}${QUOTE_MARK}${line}`).join('\n');
}

/** A sentence of the runtime: what it takes from elsewhere (names, messages of errors) may have line ends, which are marked. */
export function sentence(text: string): string {
  const [first = '', ...rest] = text.split(LINE_END);
  return [first, ...rest.map((line) => `${QUOTE_MARK}${line}`)].join('\n');
}

/**
 * Text for the model to send as it is. It is indented: no line of it can pass for a status line, a note or a turn line,
 * and a reply may keep the indentation.
 */
export function toCopy(text: string): string {
  return text
    .split(LINE_END)
    .map((line) => `    ${line}`)
    .join('\n');
}

/** Text on one line, with its line ends written as escapes. */
export function onOneLine(text: string): string {
  return text.replace(LINE_END, (end) => [...end].map(escaped).join(''));
}

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };

function escaped(end: string): string {
  return NAMED[end] ?? `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const PLAIN_NAME = /^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u;

/** A name as a variable of a namespace: an identifier as it is, any other text as Python's `repr` shows it. */
export function nameAsRepr(name: string): string {
  return PLAIN_NAME.test(name) ? name : `'${onOneLine(name.replaceAll('\\', '\\\\').replaceAll("'", "\\'"))}'`;
}
