/**
 * Texts as Python counts them: by code point, not by UTF-16 code unit.
 *
 * @module
 */

/** A text that is counted and cut by code point. */
export interface CodePoints {
  readonly length: number;
  slice(start: number, stop: number): string;
}

/** Code points between two places whose code unit is remembered. */
const STRIDE = 4096;

/** Length and slices of a text by code point; where every character is one code unit, those of the text itself. */
export function codePoints(text: string): CodePoints {
  const length = countCharacters(text);
  if (length === text.length) return { length, slice: (start, stop) => text.slice(start, stop) };
  const marks = markEvery(STRIDE, text);
  const unitAt = (point: number): number => {
    let unit = marks[Math.floor(point / STRIDE)] ?? text.length;
    for (let left = point % STRIDE; left > 0 && unit < text.length; left -= 1) unit += unitsAt(text, unit);
    return unit;
  };
  return { length, slice: (start, stop) => text.slice(unitAt(start), unitAt(Math.min(stop, length))) };
}

/** Where in `text` every `stride`-th code point begins. */
function markEvery(stride: number, text: string): readonly number[] {
  const marks: number[] = [];
  let point = 0;
  for (let unit = 0; unit < text.length; unit += unitsAt(text, unit)) {
    if (point % stride === 0) marks.push(unit);
    point += 1;
  }
  return marks;
}

function unitsAt(text: string, unit: number): number {
  return (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
}

/** Code points of a text, ASCII at the speed of a copy. A lone surrogate counts as one. */
export function countCharacters(text: string): number {
  if (Buffer.byteLength(text) === text.length) return text.length;
  let pairs = 0;
  for (let unit = 0; unit < text.length; unit += 1) {
    if (unitsAt(text, unit) === 1) continue;
    pairs += 1;
    unit += 1;
  }
  return text.length - pairs;
}

/** `at`, or one less where it would cut a character in two. */
export function characterBoundary(text: string, at: number): number {
  return at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff ? at - 1 : at;
}

/** Lines of a whole text: each that a line feed ends, and a last one without. */
export function countLines(text: string | Buffer): number {
  if (text.length === 0) return 0;
  let [ended, last] = [0, -1];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    ended += 1;
    last = at;
  }
  return ended + (last === text.length - 1 ? 0 : 1);
}
