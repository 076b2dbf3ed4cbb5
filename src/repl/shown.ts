import { characterBoundary, countCharacters } from '../code-points.ts';
import { boundError } from './error-text.ts';
import type { BashOutcome, CapturedText, CellError, CellOutcome, ReplLimits } from './port.ts';

/** An outcome that can be shown: a cell's or a bash command's. */
export type Showable =
  | Pick<CellOutcome, 'stdout' | 'stderr' | 'value' | 'error'>
  | Pick<BashOutcome, 'stdout' | 'stderr'>;

interface Section {
  readonly label: string;
  readonly text: string;
  readonly dropped: number;
  readonly gapAt: number;
}

/**
 * The outcome of a command as the model sees it, within `outputChars`: stdout, stderr and the value of a last
 * expression, as head and tail with the exact number of characters between them and the handle under which `history`
 * holds the full text; then the error, of which the end of the traceback and both ends of the message are kept.
 */
export function renderShown(outcome: Showable, limits: Pick<ReplLimits, 'outputChars'>, handle: string): string {
  const sections = sectionsOf(outcome);
  const error = errorOf(outcome);
  const texts = [...sections.map((section) => section.text), ...(error === undefined ? [] : [error.traceback])];
  const shares = shareOut(
    texts.map((text) => text.length),
    limits.outputChars,
  );
  const pieces: string[] = [];
  // Where a section begins in the full text.
  let base = 0;
  for (const [index, section] of sections.entries()) {
    base += section.label.length;
    pieces.push(section.label + cut(section, shares[index] ?? 0, { handle, base }));
    base += countCharacters(section.text) + (section.text.endsWith('\n') ? 0 : 1);
  }
  if (error !== undefined) pieces.push(boundError(error, shares[sections.length] ?? 0).traceback);
  return pieces.reduce((text, piece) => (text === '' || text.endsWith('\n') ? text + piece : `${text}\n${piece}`), '');
}

function errorOf(outcome: Showable): CellError | undefined {
  if (!('error' in outcome) || outcome.error === null) return undefined;
  return { ...outcome.error, traceback: outcome.error.traceback.trimEnd() };
}

function sectionsOf(outcome: Showable): Section[] {
  const sections: Section[] = [];
  const add = (label: string, { text, dropped, gapAt }: CapturedText): void => {
    if (text !== '' || dropped > 0) sections.push({ label, text, dropped, gapAt: gapAt ?? text.length });
  };
  add('', outcome.stdout);
  add('stderr:\n', outcome.stderr);
  if ('value' in outcome && outcome.value !== null) add('', { text: outcome.value, dropped: 0 });
  return sections;
}

/** Parts of `room` for texts of these lengths: short ones whole, the rest in equal shares. */
function shareOut(lengths: readonly number[], room: number): number[] {
  const shares = lengths.map(() => 0);
  let left = room;
  const byLength = lengths.map((length, index) => ({ length, index })).sort((a, b) => a.length - b.length);
  byLength.forEach(({ length, index }, done) => {
    const share = Math.min(length, Math.floor(left / (byLength.length - done)));
    shares[index] = share;
    left -= share;
  });
  return shares;
}

/** Head and tail of a text, with the code that prints what lies between them; a gap that the capture left lies there too. */
function cut(
  { text, dropped, gapAt }: Section,
  share: number,
  { handle, base }: { readonly handle: string; readonly base: number },
): string {
  if (dropped === 0 && text.length <= share) return text;
  const spare = text.length <= share;
  const headEnd = spare ? gapAt : characterBoundary(text, Math.min(gapAt, Math.ceil(share / 2)));
  const tailStart = spare ? gapAt : characterBoundary(text, text.length - Math.floor(share / 2));
  const start = dropped > 0 ? Math.max(tailStart, gapAt) : tailStart;
  const leftOut = countCharacters(text.slice(headEnd, start)) + dropped;
  const kept = dropped === 0 ? '' : `; ${dropped} of them were not kept`;
  const from = base + countCharacters(text.slice(0, headEnd));
  const more =
    leftOut === dropped ? '' : `; to read on: print(history["${handle}"][${from}:${from + Math.max(1, share)}])`;
  return `${text.slice(0, headEnd)}\n… [${leftOut} characters left out${kept}${more}] …\n${text.slice(start)}`;
}
