import { type ContextSet, type LoadedContext, sqlTables } from '../context/index.ts';
import type { FileValue } from '../repl/port.ts';

/** The properties of a context that decide which helpers the prompt describes. */
export interface ContextTraits {
  /** It has parts that can be labelled or counted one by one: items, documents, lines. */
  readonly items: boolean;
  /** It is text, or has texts, beyond what the first message shows. */
  readonly text: boolean;
  /** Its text is more than one prompt should hold. */
  readonly large: boolean;
  /** It has images. */
  readonly images: boolean;
  /** It has tables, which `sql` finds. */
  readonly tables: boolean;
}

/** Lines from which on a text is a list of something as well. */
const LINES = 10;
/** Characters that the first message shows nearly all of: a search would add nothing. */
const SHORT_TEXT = 2_000;
/** Characters from which on a text is worth cutting, as `chunks` cuts it. */
const LARGE_TEXT = 20_000;
const NOTHING: Omit<ContextTraits, 'tables'> = { items: false, text: false, large: false, images: false };

/** The traits of contexts and of values that are given with them: those that any of them has. */
export function traitsOf(contexts: ContextSet, handed: readonly LoadedContext[] = []): ContextTraits {
  const all = contexts.kind === 'one' ? [contexts.context] : [...contexts.contexts.values()];
  const traits = [...all, ...handed].map(traitsOfOne).reduce(
    (sum, one) => ({
      items: sum.items || one.items,
      text: sum.text || one.text,
      large: sum.large || one.large,
      images: sum.images || one.images,
    }),
    NOTHING,
  );
  return { ...traits, tables: sqlTables(contexts).length > 0 };
}

function traitsOfOne(context: LoadedContext): Omit<ContextTraits, 'tables'> {
  const { value, size, lines } = context;
  const isText = context.type === 'str' || context.type === 'lazy text';
  const longer = (least: number): boolean => size === undefined || size > least;
  switch (value.kind) {
    case 'json':
      return { ...NOTHING, items: typeof size === 'number' && size > 1 };
    case 'document':
      return {
        items: isText && (lines === undefined || lines >= LINES),
        text: isText && longer(SHORT_TEXT),
        large: isText && longer(LARGE_TEXT),
        images: isImage(value.file, value.path),
      };
    case 'documents':
      return {
        images: value.documents.some(
          ({ path, content }) => content.kind === 'bytes' || (content.kind === 'file' && isImage(content, path)),
        ),
        items: value.documents.length > 1,
        text: true,
        large: value.documents.length > 1 || bytesOf(value.documents) > LARGE_TEXT,
      };
    case 'file':
      if (value.as !== 'text')
        return { ...NOTHING, items: value.as === 'json', images: isImage(value, value.name ?? value.path) };
      return {
        ...NOTHING,
        items: lines === undefined || lines >= LINES,
        text: longer(SHORT_TEXT),
        large: longer(LARGE_TEXT),
      };
    case 'projection':
      if (value.shape !== 'text') return { ...NOTHING, items: true, text: true };
      return { ...NOTHING, items: true, text: longer(SHORT_TEXT), large: longer(LARGE_TEXT) };
    case 'text':
      return {
        ...NOTHING,
        items: lines !== undefined && lines >= LINES,
        text: longer(SHORT_TEXT),
        large: longer(LARGE_TEXT),
      };
    default:
      return NOTHING;
  }
}

/** It is an image, or its bytes are given as they are under the name of one. */
function isImage({ as, converts }: FileValue, name: string): boolean {
  return converts === 'image' || (as === 'bytes' && /\.(?:png|jpe?g)$/i.test(name));
}

function bytesOf(documents: Extract<LoadedContext['value'], { kind: 'documents' }>['documents']): number {
  return documents.reduce((sum, { content }) => {
    if (content.kind === 'bytes') return sum;
    return sum + (content.kind === 'file' ? content.bytes : content.text.length);
  }, 0);
}
