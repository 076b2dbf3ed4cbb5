import { extname } from 'node:path';
import { shownName } from './file-words.ts';
import type { ContextNote } from './input.ts';

/** Why a file of a folder is not in the context, in the order in which reasons are reported. */
export const LEFT_OUT = ['binary', 'ignored', 'excluded', 'secret', 'link', 'special', 'unreadable'] as const;

export type LeftOutReason = (typeof LEFT_OUT)[number];

/** Paths that one report lists at most. */
const LISTED = 1_000;
/** Names behind a count. */
const NAMED = 3;

/** Collects what is left out of a context, and says it. */
export class LeftOut {
  readonly #counts = new Map<LeftOutReason, Map<string, number>>();
  readonly #paths: string[] = [];
  #total = 0;

  /** @param path a file, or a folder with all that is in it */
  add(reason: LeftOutReason, path: string): void {
    this.#total += 1;
    const counts = this.#counts.get(reason) ?? new Map<string, number>();
    this.#counts.set(reason, counts);
    const label = labelOf(reason, path);
    if (counts.has(label) || counts.size < LISTED) counts.set(label, (counts.get(label) ?? 0) + 1);
    if (this.#paths.length < LISTED) this.#paths.push(`${reason}: ${shownName(path)}`);
  }

  get total(): number {
    return this.#total;
  }

  /** One line and its details; undefined when everything is in the context. */
  note(): ContextNote | undefined {
    if (this.#total === 0) return undefined;
    const more = this.#total - this.#paths.length;
    return {
      kind: 'left-out',
      text: `left out: ${this.words()}`,
      details: more > 0 ? [...this.#paths, `and ${more} more`] : this.#paths,
    };
  }

  /** e.g. `20 binary (.pdf 20), 1 link, 2 unreadable`. */
  words(): string {
    return LEFT_OUT.flatMap((reason) => {
      const counts = this.#counts.get(reason);
      return counts === undefined ? [] : [wordsOf(reason, counts)];
    }).join(', ');
  }
}

function labelOf(reason: LeftOutReason, path: string): string {
  const name = path.slice(path.replace(/\/$/, '').lastIndexOf('/') + 1);
  return reason === 'binary' ? extname(name).toLowerCase() || name : name;
}

function wordsOf(reason: LeftOutReason, counts: ReadonlyMap<string, number>): string {
  const count = [...counts.values()].reduce((sum, one) => sum + one, 0);
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = ranked.slice(0, NAMED).map(([label, n]) => {
    const name = shownName(label);
    return reason === 'binary' || n > 1 ? `${name} ${n}` : name;
  });
  const names = ranked.length > NAMED ? [...shown, '…'] : shown;
  return `${count} ${reason === 'link' && count > 1 ? 'links' : reason} (${names.join(', ')})`;
}
