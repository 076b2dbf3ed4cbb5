import { characterBoundary } from '../code-points.ts';

/** Characters of a context's beginning and end that the model sees before it looks itself. */
const HEAD_CHARS = 400;
const TAIL_CHARS = 200;

/** How much of a large text a preview needs: read this much from the beginning, and {@link PREVIEW_TAIL} from the end. */
export const PREVIEW_HEAD: number = HEAD_CHARS;
export const PREVIEW_TAIL: number = TAIL_CHARS;

/** A bounded look at a text: all of a short one, else its beginning and end. */
export function previewText(text: string): string {
  return text.length <= HEAD_CHARS + TAIL_CHARS ? text : joinPreview(text, text);
}

/** The beginning of `head` and the end of `tail`: of a text whose middle was not read. */
export function joinPreview(head: string, tail: string): string {
  const shownHead = head.slice(0, characterBoundary(head, HEAD_CHARS));
  const shownTail = tail.slice(characterBoundary(tail, Math.max(0, tail.length - TAIL_CHARS)));
  return `${shownHead}\n[…]\n${shownTail}`;
}
