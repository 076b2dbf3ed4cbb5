import { RlmError } from './errors.ts';

/** Names of options; every field of the type has to be there. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** Letters that may differ between a misspelt name and the one that is meant. */
const MOST_EDITS = 3;

/**
 * A misspelt option would be ignored in silence, and with `limit` for `limits` the money limit with it.
 *
 * @param owner whose options these are, e.g. `createRlm`
 * @throws RlmError `invalid-option` for a name that is not an option
 */
export function checkOptionNames<T>(owner: string, given: object, known: OptionNames<T>): void {
  const names = Object.keys(known);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const meant = nearest(unknown, names);
  const hint = meant === undefined ? `The options are ${names.join(', ')}` : `Did you mean ${meant}`;
  throw new RlmError({
    code: 'invalid-option',
    message: `${owner} has no option ${unknown}. ${hint}${meant === undefined ? '.' : '?'}`,
    userAction: true,
    data: { option: unknown, ...(meant !== undefined && { didYouMean: meant }) },
  });
}

/** The known name that needs the fewest changes; undefined when none is close. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const most = Math.min(MOST_EDITS, Math.floor(name.length / 2));
  const scored = known
    .map((candidate) => ({ candidate, edits: edits(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ edits: count }) => count <= most)
    .sort((a, b) => a.edits - b.edits);
  return scored[0]?.candidate;
}

/** Levenshtein distance; two swapped letters count as two. */
function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const [left = 0, above = 0, diagonal = 0] = [next[j], row[j + 1], row[j]];
      next.push(Math.min(left + 1, above + 1, diagonal + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
