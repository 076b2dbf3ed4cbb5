import type { PromptFacts } from './prompt-facts.ts';

/** Characters of a token at the least that English text and code have: what is said of a window must fit into it. */
const CHARS_PER_TOKEN = 3;
/** Characters that most models of today can read, where nothing is known of the sub-model. */
const SAFE_CHARS = 100_000;

/** How long a prompt of a sub-call may be, as a sentence. */
export function promptLength({ subModelTokens, limits }: PromptFacts): string {
  if (subModelTokens === undefined) return `Its window is not known: keep a prompt below ${SAFE_CHARS} characters.`;
  const room = Math.max(subModelTokens - limits.maxSubCallOutputTokens, subModelTokens / 4);
  return `A prompt may have about ${twoDigits(Math.min(room * CHARS_PER_TOKEN, limits.promptBytes))} characters.`;
}

/** The first two digits of a number, and zeros. */
function twoDigits(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return Math.floor(value / unit) * unit;
}

/** The helpers that fit the context at hand, one line each. */
export function helperLines({ depth, limits, traits, readsImages }: PromptFacts): string[] {
  const lines: string[] = [];
  const calls = depth + 1 <= limits.maxDepth;
  if (calls && traits.images)
    lines.push(
      '- `llm_query(prompt, images=[…])` also sends up to 16 PNG or JPEG images: bytes, documents of the context, PIL or matplotlib figures.',
    );
  if (traits.images && readsImages) lines.push('- `show(image)` shows you an image in the next message.');
  if (calls && traits.items)
    lines.push(
      '- `llm_map(items, instruction, labels=[…], votes=3)` labels many items: numbered batches, every number checked, missing ones asked again, disputed ones voted on. The result has `.values`, `.counts()`, `.failed`, `.disagreements`. `output=` takes a JSON Schema instead of labels; `dry_run=True` estimates calls, tokens and dollars.',
      '- `llm_filter(items, condition)` gives the items for which a condition in words holds.',
    );
  if (calls && traits.large)
    lines.push('- `llm_reduce(texts, instruction)` answers about many texts in rounds, down to one reply.');
  if (calls && traits.text)
    lines.push(
      '- `llm_extract(text, schema)` gives all values that fit a JSON Schema, each with its quote and its `start` and `end`.',
    );
  if (traits.large)
    lines.push(
      '- `context_index.search(words, k=10)` gives the passages of `context` that match some words best (BM25): `{score, start, end, text}`.',
    );
  if (traits.large)
    lines.push("- `chunks(text, size, overlap, by='lines')` gives pieces `{start, end, text}` that cover a text.");
  if (traits.tables)
    lines.push(
      '- `sql("select … where x > ?", 5)` queries tables of the context, and your lists of dicts by name, with SQLite; `sql.tables()` lists them.',
    );
  if (traits.text)
    lines.push(
      '- `search(pattern or list of words)` gives hits `{start, end, match, snippet}` in `context`: of words, best passages first.',
    );
  return lines;
}
