import { characterBoundary } from '../code-points.ts';

/** UTF-16 code units of the beginning of a context that the model sees before it looks itself. */
export const PREVIEW_HEAD = 1_000;
/** Code units of whole lines from its middle. */
export const PREVIEW_MIDDLE = 450;
/** Where these lines begin: a little before the half, where a text in two parts would show the seam. */
export const MIDDLE_AT = 0.4;
/** Code units of its end. */
export const PREVIEW_TAIL = 500;
/** A text up to this length is shown whole. */
export const PREVIEW_CHARS: number = PREVIEW_HEAD + PREVIEW_MIDDLE + PREVIEW_TAIL;

/** A bounded preview of a text: all of a short one, else its beginning, some lines of its middle, and its end. */
export function previewText(text: string): string {
  if (text.length <= PREVIEW_CHARS) return text;
  const start = Math.floor(text.length * MIDDLE_AT);
  return joinPreview({ head: text, middle: text.slice(start, start + 2 * PREVIEW_MIDDLE), tail: text });
}

/** The beginning of `head`, the whole lines of `middle` and the end of `tail`, of a text that need not be read as a whole. */
export function joinPreview(parts: { readonly head: string; readonly middle: string; readonly tail: string }): string {
  const { head, middle, tail } = parts;
  const shownHead = head.slice(0, characterBoundary(head, PREVIEW_HEAD));
  const shownTail = tail.slice(characterBoundary(tail, Math.max(0, tail.length - PREVIEW_TAIL)));
  return [shownHead, wholeLines(middle), shownTail].filter((part) => part !== '').join('\n[…]\n');
}

/** The whole lines of a piece, as many as fit. Without a line break it has none. */
function wholeLines(piece: string): string {
  const first = piece.indexOf('\n') + 1;
  const last = piece.lastIndexOf('\n', first + PREVIEW_MIDDLE);
  return first > 0 && last > first ? piece.slice(first, last) : '';
}
