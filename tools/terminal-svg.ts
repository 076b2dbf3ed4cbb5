/**
 * Draws the capture of a terminal as an SVG, for the documents: `tmux capture-pane -p -e | node tools/terminal-svg.ts TITLE [FROM] [TO]`
 * reads lines FROM to TO (from 1) of standard input and writes the picture to standard output.
 *
 * @module
 */
import { text } from 'node:stream/consumers';

const COLUMNS = 80;
/** Pixels of a character of the font, and of a line. */
const CHAR = 8.4;
const LINE = 18;
const PAD = 14;

/** The colours of SGR codes 30 to 36, of a scheme with enough contrast on the ground (WCAG 2.2, 4.5:1). */
const COLORS: Readonly<Record<number, string>> = {
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
};
const GROUND = '#0d1117';
const PLAIN = '#e6edf3';
const DIM = '#9198a1';

interface Style {
  readonly color: string;
  readonly bold: boolean;
}

interface Span extends Style {
  readonly at: number;
  readonly text: string;
}

const NORMAL: Style = { color: PLAIN, bold: false };
/** The character that begins a sequence. */
const ESCAPE = String.fromCharCode(0x1b);
/** A sequence that selects graphic rendition (ECMA-48 §8.3.117), or text before the next one. */
const PIECE = new RegExp(`${ESCAPE}\\[([\\d;]*)m|([^${ESCAPE}]+)`, 'g');

function after(style: Style, codes: string): Style {
  let now = style;
  for (const code of codes.split(';')) now = withCode(now, Number(code));
  return now;
}

function withCode(style: Style, code: number): Style {
  switch (code) {
    case 0:
      return NORMAL;
    case 1:
      return { ...style, bold: true };
    case 2:
      return { ...style, color: DIM };
    case 22:
      return { color: style.color === DIM ? PLAIN : style.color, bold: false };
    case 39:
      return { ...style, color: PLAIN };
    default:
      return { ...style, color: COLORS[code] ?? style.color };
  }
}

function spansOf(lines: readonly string[]): readonly (readonly Span[])[] {
  let style = NORMAL;
  return lines.map((line) => {
    const spans: Span[] = [];
    let at = 0;
    for (const [, codes, words] of line.matchAll(PIECE)) {
      if (codes !== undefined) style = after(style, codes);
      if (words === undefined) continue;
      if (words.trim() !== '') spans.push({ ...style, at, text: words });
      at += [...words].length;
    }
    return spans;
  });
}

function escaped(words: string): string {
  return words.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function drawn({ at, color, bold, text: words }: Span, row: number): string {
  const weight = bold ? ' font-weight="bold"' : '';
  const length = ([...words].length * CHAR).toFixed(1);
  const fit = ` textLength="${length}" lengthAdjust="spacingAndGlyphs"`;
  return `<text x="${(PAD + at * CHAR).toFixed(1)}" y="${PAD + (row + 0.8) * LINE}" fill="${color}"${weight}${fit} xml:space="preserve">${escaped(words)}</text>`;
}

const [title = 'A terminal', from = '1', to] = process.argv.slice(2);
const lines = (await text(process.stdin))
  .split('\n')
  .slice(Number(from) - 1, to === undefined ? undefined : Number(to));
const width = 2 * PAD + COLUMNS * CHAR;
const height = 2 * PAD + lines.length * LINE;
const rows = spansOf(lines).flatMap((spans, row) => spans.map((span) => drawn(span, row)));
process.stdout.write(
  [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${GROUND}"/>`,
    ...rows,
    '</svg>\n',
  ].join('\n'),
);
