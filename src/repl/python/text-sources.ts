import { memoryText } from '../channel/index.ts';
import type { ReplBindings, ReplValue } from '../port.ts';
import { IMAGE_BYTES } from './sources.ts';

/**
 * Bindings whose large texts take the way of files: one copy into a memory file that every REPL of the backend maps.
 * Children of a completion that are given the same text share its memory.
 */
export function asSources(bindings: ReplBindings): ReplBindings {
  const entries = Object.entries(bindings.values ?? {});
  if (!entries.some(([, value]) => isLarge(value))) return bindings;
  return {
    ...bindings,
    values: Object.fromEntries(
      entries.map(([name, value]) => [name, isLarge(value) ? memoryText({ path: '', text: value.text }) : value]),
    ),
  };
}

type TextValue = Extract<ReplValue, { kind: 'text' }>;

/** Lone surrogates have no place in UTF-8: such a text goes through the channel, which keeps them. */
function isLarge(value: ReplValue): value is TextValue {
  return value.kind === 'text' && value.text.length >= IMAGE_BYTES && value.text.isWellFormed();
}
