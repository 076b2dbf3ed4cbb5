/**
 * Errors of cells within a number of characters: the end of a traceback says where, both ends of a message say what.
 *
 * @module
 */
import { characterBoundary, countCharacters } from '../code-points.ts';
import type { CellError } from './port.ts';

/** Characters of a traceback at most, however large `outputChars` is: CPython's own, of a thousand frames, fit. */
const MAX_ERROR_CHARS = 64 * 1024;
/**
 * Characters of a traceback that are shown, however small `outputChars` is: an error that the model cannot read costs a
 * turn.
 */
const MIN_ERROR_CHARS = 400;
/** Characters a mark for what was left out may take; a text that is longer by less is not worth one. */
const MARK_CHARS = 60;

/** The error with a message of at most half of `outputChars` and a traceback of at most all of it, marks not counted. */
export function boundError(error: CellError, outputChars: number): CellError {
  const room = Math.min(MAX_ERROR_CHARS, Math.max(MIN_ERROR_CHARS, outputChars));
  const message = cutMiddle(error.message, Math.floor(room / 2));
  return { ...error, message, traceback: cutTraceback({ ...error, room, message, whole: error.message }) };
}

interface Cut {
  readonly traceback: string;
  readonly room: number;
  /** The message as it is shown. */
  readonly message: string;
  /** The message as it is in the traceback. */
  readonly whole: string;
}

function cutTraceback({ traceback, room, message, whole }: Cut): string {
  if (traceback.length <= room + MARK_CHARS) return traceback;
  const at = message === whole ? -1 : traceback.lastIndexOf(whole);
  const text = at < 0 ? traceback : traceback.slice(0, at) + message + traceback.slice(at + whole.length);
  return keepTail(text, room);
}

/** Head and tail of a text, with the number of characters between them. */
export function cutMiddle(text: string, room: number): string {
  if (text.length <= room + MARK_CHARS) return text;
  const head = characterBoundary(text, Math.ceil(room / 2));
  const tail = characterBoundary(text, text.length - Math.floor(room / 2));
  return detached(`${text.slice(0, head)}\n${leftOut(text.slice(head, tail))}\n${text.slice(tail)}`);
}

function keepTail(text: string, room: number): string {
  if (text.length <= room + MARK_CHARS) return detached(text);
  const start = characterBoundary(text, text.length - room);
  return detached(`${leftOut(text.slice(0, start))}\n${text.slice(start)}`);
}

function leftOut(text: string): string {
  return `… [${countCharacters(text)} characters left out] …`;
}

/** A copy: a piece of a text would keep all of it in memory. */
export function detached(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
