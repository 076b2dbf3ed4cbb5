import type { ContextSet, LoadedContext } from '../context/index.ts';

/** The properties of a context that decide which helpers the prompt describes. */
export interface ContextTraits {
  /** It has parts that can be labelled or counted one by one: items, documents, lines. */
  readonly items: boolean;
  /** It is text, or has texts, beyond what the first message shows. */
  readonly text: boolean;
  /** Its text is more than one prompt should hold. */
  readonly large: boolean;
}

/** Lines from which on a text is a list of something as well. */
const LINES = 10;
/** Characters that the first message shows nearly all of: a search would add nothing. */
const SHORT_TEXT = 2_000;
/** Characters from which on a text is worth cutting, as `chunks` cuts it. */
const LARGE_TEXT = 20_000;
const NOTHING: ContextTraits = { items: false, text: false, large: false };

/** The traits of a context; of several, those that any of them has. */
export function traitsOf(contexts: ContextSet): ContextTraits {
  const all = contexts.kind === 'one' ? [contexts.context] : [...contexts.contexts.values()];
  return all
    .map(traitsOfOne)
    .reduce(
      (sum, one) => ({ items: sum.items || one.items, text: sum.text || one.text, large: sum.large || one.large }),
      NOTHING,
    );
}

function traitsOfOne(context: LoadedContext): ContextTraits {
  const { value, size, lines } = context;
  const longer = (least: number): boolean => size === undefined || size > least;
  switch (value.kind) {
    case 'json':
      return { ...NOTHING, items: typeof size === 'number' && size > 1 };
    case 'documents':
      return {
        items: value.documents.length > 1,
        text: true,
        large: value.documents.length > 1 || bytesOf(value.documents) > LARGE_TEXT,
      };
    case 'file':
      if (value.as !== 'text') return { ...NOTHING, items: value.as === 'json' };
      return { items: lines === undefined || lines >= LINES, text: longer(SHORT_TEXT), large: longer(LARGE_TEXT) };
    case 'projection':
      if (value.shape !== 'text') return { ...NOTHING, items: true, text: true };
      return { items: true, text: longer(SHORT_TEXT), large: longer(LARGE_TEXT) };
    case 'text':
      return { items: lines !== undefined && lines >= LINES, text: longer(SHORT_TEXT), large: longer(LARGE_TEXT) };
    default:
      return NOTHING;
  }
}

function bytesOf(documents: Extract<LoadedContext['value'], { kind: 'documents' }>['documents']): number {
  return documents.reduce(
    (sum, { content }) => sum + (content.kind === 'file' ? content.bytes : content.text.length),
    0,
  );
}
