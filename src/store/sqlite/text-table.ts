import { hash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Characters from which a text is kept apart. Below, a reference would save little. */
const LONG = 512;
/** Characters up to which a text is searched in others and others in it. */
const SEARCHED = 256 * 1024;
/** Texts that are searched. */
const RECENT = 16;
/** Characters compared first, so that searching stays linear whatever a guest prints. */
const PROBE = 64;
const PROBES = 4;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * References stand for long texts: `{"$t":n}` a text, `{"$c":[n,start,length]}` a part of one, `{"$s":[…]}` several in a
 * row; `{"$o":{…}}` is an object that only looks like one of these.
 */
type Reference =
  | { readonly $t: number }
  | { readonly $c: readonly [number, number, number] }
  | { readonly $s: readonly (string | Reference)[] };

interface RecentText {
  readonly n: number;
  readonly text: string;
}

/**
 * Packs values into JSON in which each long text is stored once: a reply is also a step's result, a cell's code is a
 * part of it, and what a cell printed is repeated in the feedback. So a log grows with new text only.
 */
export class TextTable {
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #get: StatementSync;
  #recent: RecentText[] = [];

  constructor(database: DatabaseSync, readOnly: boolean) {
    this.#find = database.prepare('SELECT n FROM texts WHERE hash = ?');
    // As bytes: the SQLite module of Node 22 ends a text at its first NUL.
    this.#get = database.prepare('SELECT CAST(body AS BLOB) AS body FROM texts WHERE n = ?');
    this.#insert = readOnly ? this.#find : database.prepare('INSERT INTO texts (hash, body) VALUES (?, ?)');
  }

  /** Runs inside the transaction that stores the JSON. */
  pack(value: unknown): string {
    const json = JSON.stringify(value);
    if (json.length < LONG && !json.includes('"$')) return json;
    return JSON.stringify(this.#pack(value));
  }

  /** @param cache texts already read, for one read of many rows */
  unpack(json: string, cache: Map<number, string>): unknown {
    const value: unknown = JSON.parse(json);
    return json.includes('"$') ? this.#unpack(value, cache) : value;
  }

  #pack(value: unknown): unknown {
    // Lone surrogates have no UTF-8 form; JSON escapes them.
    if (typeof value === 'string') return value.length >= LONG && value.isWellFormed() ? this.#packText(value) : value;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => this.#pack(item));
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.#pack(value.toJSON());
    const entries = Object.entries(value);
    const packed = Object.fromEntries(entries.map(([key, item]) => [key, this.#pack(item)]));
    return entries.some(([key]) => key.startsWith('$')) ? { $o: packed } : packed;
  }

  #packText(text: string): string | Reference {
    if (text.length < LONG) return text;
    if (text.length <= SEARCHED) {
      for (const recent of this.#recent) {
        const found = this.#relate(text, recent);
        if (found !== undefined) return found;
      }
    }
    const n = this.#intern(text);
    if (text.length <= SEARCHED) this.#recent = [{ n, text }, ...this.#recent.slice(0, RECENT - 1)];
    return { $t: n };
  }

  #relate(text: string, recent: RecentText): Reference | undefined {
    if (text.length <= recent.text.length) {
      const start = placeIn(recent.text, text);
      if (start < 0) return undefined;
      return text.length === recent.text.length ? { $t: recent.n } : { $c: [recent.n, start, text.length] };
    }
    const start = placeIn(text, recent.text);
    if (start < 0) return undefined;
    const parts = [
      this.#packText(text.slice(0, start)),
      { $t: recent.n },
      this.#packText(text.slice(start + recent.text.length)),
    ];
    return { $s: parts.filter((part) => part !== '') };
  }

  #intern(text: string): number {
    const digest = hash('sha256', text, 'buffer').subarray(0, 16);
    const found = this.#find.get(digest);
    if (found !== undefined) return Number(found.n);
    return Number(this.#insert.run(digest, text).lastInsertRowid);
  }

  #unpack(value: unknown, cache: Map<number, string>): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => this.#unpack(item, cache));
    const { $o: escaped, ...rest } = value as { readonly $o?: object };
    if (escaped !== undefined && Object.keys(rest).length === 0) return this.#unpackEntries(escaped, cache);
    if (isReference(value)) return this.#resolve(value, cache);
    return this.#unpackEntries(value, cache);
  }

  #unpackEntries(value: object, cache: Map<number, string>): unknown {
    for (const [key, item] of Object.entries(value)) {
      if (typeof item === 'object' && item !== null)
        (value as Record<string, unknown>)[key] = this.#unpack(item, cache);
    }
    return value;
  }

  #resolve(reference: Reference, cache: Map<number, string>): string {
    if ('$t' in reference) return this.#text(reference.$t, cache);
    if ('$c' in reference) {
      const [n, start, length] = reference.$c;
      return this.#text(n, cache).slice(start, start + length);
    }
    return reference.$s.map((part) => (typeof part === 'string' ? part : this.#resolve(part, cache))).join('');
  }

  #text(n: number, cache: Map<number, string>): string {
    const known = cache.get(n);
    if (known !== undefined) return known;
    const row = this.#get.get(n);
    if (row === undefined) throw new Error(`text ${n} is missing`);
    const text = utf8.decode(row.body as Uint8Array);
    cache.set(n, text);
    return text;
  }
}

/** The position of `part` in `whole`, or -1; may miss it in very repetitive texts, but takes linear time in all. */
function placeIn(whole: string, part: string): number {
  const middle = (part.length - PROBE) >> 1;
  const probe = part.slice(middle, middle + PROBE);
  let at = whole.indexOf(probe);
  for (let tried = 0; at >= 0 && tried < PROBES; tried++) {
    const start = at - middle;
    if (start >= 0 && whole.startsWith(part, start)) return start;
    at = whole.indexOf(probe, at + 1);
  }
  return -1;
}

function isReference(value: object): value is Reference {
  const keys = Object.keys(value);
  return keys.length === 1 && (keys[0] === '$t' || keys[0] === '$c' || keys[0] === '$s');
}
