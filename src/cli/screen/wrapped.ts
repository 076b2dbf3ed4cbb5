import { columnsOf } from './table.ts';

/** A stream, as far as it tells how wide its lines may be. */
type Wide = Parameters<typeof columnsOf>[0];

/**
 * Prose broken between words for a terminal, later lines indented by `indent` columns. A stream that is no terminal gets
 * it on one line, as programs read it; so does everything to be copied (code, answers, commands), which nobody passes here.
 */
export function wrapped(text: string, stream: Wide, indent = 0): string {
  if (stream.isTTY !== true) return text;
  const width = columnsOf(stream);
  const lines: string[] = [];
  let line = '';
  // Each word with the blanks before it: those at the beginning and between columns stay.
  for (const word of text.match(/ *[^ ]+/g) ?? []) {
    const room = lines.length === 0 ? width : width - indent;
    if (line !== '' && [...line].length + [...word].length > room) {
      lines.push(line);
      line = word.trimStart();
    } else {
      line += word;
    }
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`);
}
