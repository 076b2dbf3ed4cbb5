import type { ContextFacts } from '../../event/event.ts';
import { compact } from '../screen/figures.ts';

/** The contexts of a run in a few words: `context: str [12.3k]`; empty when there is none. */
export function contextWords(contexts: readonly ContextFacts[]): string {
  return contexts
    .filter(({ type }) => type !== 'NoneType')
    .map(({ name, type, size }) => `${name}: ${type}${size === undefined ? '' : ` [${compact(size)}]`}`)
    .join(', ');
}
