/**
 * Names that tables of a context have in `sql`, as the guest gives them (`guest/fathom_guest/sql_names.py`).
 *
 * @module
 */

/** The words of SQLite and DuckDB that cannot be a name without quotes. */
const WORDS: ReadonlySet<string> = new Set(
  `add all alter analyse analyze and any array as asc asymmetric between both by case cast check collate column
  commit constraint create cross current current_date current_time current_timestamp default deferrable delete desc
  describe distinct do drop else end escape except exists false fetch for foreign from full generated glob grant
  group having if in index initially inner insert intersect into is isnull join lambda lateral leading left like
  limit match natural no not nothing notnull null offset on only or order outer over partition pivot placing primary
  qualify raise references regexp returning right rows select set show some summarize symmetric table temp then to
  trailing transaction true unbounded union unique unpivot update using values variadic view when where window with`.split(
    /\s+/,
  ),
);

const LONGEST = 60;

/** A name for a text: every sign that is neither a letter nor a digit is `_`; a digit or a word of SQL at its beginning gets `t_`. */
export function sqlName(text: string): string {
  const signs = [...trimmed(text.replace(/[^\p{L}\p{N}_]+/gu, '_'))];
  const name = signs.slice(0, LONGEST).join('').replace(/_+$/, '') || 'table';
  return /^\p{Nd}/u.test(name) || WORDS.has(name.toLowerCase()) ? `t_${name}` : name;
}

function trimmed(name: string): string {
  return name.replace(/^_+|_+$/g, '');
}

/** The name of a file without its folder and its end, as a name of SQL: `data/fees-2026.csv` is `fees_2026`. */
export function stemOf(path: string): string {
  const name = path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.gz$/, '')
    .replace(/\.zst$/, '');
  return sqlName(name.slice(0, Math.max(0, name.lastIndexOf('.'))) || name);
}

/** Gives names that are unique in any case: one that another table has gets a number. */
export class OwnNames {
  readonly #taken = new Map<string, number>();

  give(wanted: string): string {
    const key = wanted.toLowerCase();
    let number = this.#taken.get(key) ?? 1;
    let name = wanted;
    while (this.#taken.has(name.toLowerCase())) {
      number += 1;
      name = `${wanted}_${number}`;
    }
    this.#taken.set(key, number);
    if (!this.#taken.has(name.toLowerCase())) this.#taken.set(name.toLowerCase(), 1);
    return name;
  }
}
