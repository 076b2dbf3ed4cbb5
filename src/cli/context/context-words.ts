import type { ContextFacts, ContextRemark } from '../../event/event.ts';
import { compact } from '../screen/figures.ts';

/** The contexts of a run in a few words: `context: str [12.3k]`; empty when there is none. */
export function contextWords(contexts: readonly ContextFacts[]): string {
  return contexts
    .filter(({ type }) => type !== 'NoneType')
    .map(({ name, type, size, description }) => {
      const of = description === undefined ? '' : `, ${description}`;
      return `${name}: ${type}${size === undefined ? '' : ` [${compact(size)}]`}${of}`;
    })
    .join(', ');
}

/** Notes for the user on how contexts were read, one line each; with `all`, their details as well. */
export function contextNotes(contexts: readonly ContextFacts[], all: boolean): readonly string[] {
  return contexts.flatMap(({ notes = [] }) =>
    notes.flatMap((note) => [`! ${note.text}${remedyOf(note, all)}`, ...(all ? (note.details ?? []) : [])]),
  );
}

function remedyOf({ kind, details = [] }: ContextRemark, all: boolean): string {
  if (kind === 'encoding') return '; --encoding says otherwise';
  return details.length > 0 && !all ? '; -v lists them' : '';
}
