import type { Answer, ReplLimits } from '../port.ts';
import type { PartReader } from './parts.ts';
import { type Fields, parsePart, readChoice } from './shape.ts';

/** Reads the value of an answer: one part, and what it is by `form`: a string, JSON text, or `str(value)`. */
export function answerParts(
  fields: Fields,
  parts: PartReader,
  limits: ReplLimits,
): { readonly json: string | null; readonly text: string } {
  const form = readChoice(fields, 'form', ['string', 'json', 'text']);
  const bytes = parts.bytes(limits.answerBytes);
  const text = bytes.toString('utf8');
  if (form === 'string') return { json: JSON.stringify(text), text };
  if (form === 'text') return { json: null, text };
  parsePart(bytes, 'an answer');
  return { json: text, text };
}

/** Reads a whole answer. */
export function parseAnswer(fields: Fields, parts: PartReader, limits: ReplLimits): Answer {
  const via = readChoice(fields, 'via', ['final', 'final-var', 'answer']);
  return { via, ...answerParts(fields, parts, limits) };
}
