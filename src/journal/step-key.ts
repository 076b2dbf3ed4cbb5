import { hash } from 'node:crypto';
import type { StepCall } from './port.ts';

/** Ends the path of a scope: what follows lies within the completion which that step started. */
const SCOPE_END = '>';

/** A short, collision-safe digest: 128 bits of SHA-256. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22);
}

/** A step's key without its ordinal: scope, place, kind, task, request. */
export function stepKey(scope: string, call: StepCall): string {
  const place = call.command ?? `t${call.turn}`;
  const start = `${scopePrefix(scope)}${place}/${call.kind}`;
  if (call.kind === 'root' || call.kind === 'final' || call.kind === 'compaction') return start;
  const task = call.task === undefined ? '' : `@${call.task}`;
  return `${start}${task}/${digest(JSON.stringify(call.request) ?? '')}`;
}

/** The prefix of all keys in a scope. */
export function scopePrefix(scope: string): string {
  return scope === '' ? '' : `${scope}${SCOPE_END}`;
}

/** The scope a key lies in. */
export function scopeOf(key: string): string {
  const end = key.lastIndexOf(SCOPE_END);
  return end < 0 ? '' : key.slice(0, end);
}

/** Position of a key in its scope, e.g. `t3.0`. */
export function placeOf(key: string): string {
  const start = key.lastIndexOf(SCOPE_END) + 1;
  return key.slice(start, key.indexOf('/', start));
}

/**
 * Numbers equal requests. The k-th of a run is the k-th of its replay; those without a result (cancelled, never sent)
 * and left no result to be asked for are passed over, because a replay may not make them again.
 */
export class Ordinals {
  readonly #last = new Map<string, number>();
  /** Numbers a replay has to come by, descending. */
  readonly #expected = new Map<string, number[]>();

  constructor({ all, expected }: { readonly all: Iterable<string>; readonly expected: ReadonlySet<string> }) {
    for (const key of all) {
      const { base, ordinal } = split(key);
      this.#last.set(base, Math.max(this.#last.get(base) ?? 0, ordinal));
      if (!expected.has(key)) continue;
      const numbers = this.#expected.get(base);
      if (numbers === undefined) this.#expected.set(base, [ordinal]);
      else numbers.push(ordinal);
    }
    for (const numbers of this.#expected.values()) numbers.sort((a, b) => b - a);
  }

  /** The key that {@link next} will return. */
  peek(base: string): string {
    return `${base}#${this.#expected.get(base)?.at(-1) ?? (this.#last.get(base) ?? 0) + 1}`;
  }

  next(base: string): string {
    const expected = this.#expected.get(base)?.pop();
    if (expected !== undefined) return `${base}#${expected}`;
    const ordinal = (this.#last.get(base) ?? 0) + 1;
    this.#last.set(base, ordinal);
    return `${base}#${ordinal}`;
  }
}

function split(key: string): { readonly base: string; readonly ordinal: number } {
  const at = key.lastIndexOf('#');
  return { base: key.slice(0, at), ordinal: Number(key.slice(at + 1)) };
}
