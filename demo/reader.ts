/**
 * Replaces the language model behind the sub-calls. It knows nothing but the prompt that came over HTTP, and just
 * enough English for this question: number words before "a year", and the last person with a title before them.
 *
 * @module
 */

/** One statement about a yearly income, as the prompt asks for it. */
interface Statement {
  readonly person: string;
  readonly pounds: number;
  readonly quote: string;
}

/** The answer to one sub-call. */
export function readPrompt(prompt: string): string {
  const chapter = between(prompt, 'chapter');
  if (chapter !== undefined) {
    const lines = statementsIn(chapter).map((statement) => JSON.stringify(statement));
    return lines.length === 0 ? 'NONE' : lines.join('\n');
  }
  const passage = between(prompt, 'passage');
  const quote = /these words speak: ("(?:[^"\\]|\\.)*")/.exec(prompt)?.[1];
  if (passage !== undefined && quote !== undefined) {
    const words = JSON.parse(quote) as string;
    const amount = words.match(INCOME)?.[0] ?? words;
    return personBefore(passage, passage.indexOf(words) + words.indexOf(amount)) ?? 'The passage does not say.';
  }
  return 'I can only read chapters and passages.';
}

function between(prompt: string, tag: string): string | undefined {
  const start = prompt.indexOf(`<${tag}>\n`);
  const end = prompt.lastIndexOf(`\n</${tag}>`);
  return start < 0 || end < start ? undefined : prompt.slice(start + tag.length + 3, end);
}

const UNITS: Readonly<Record<string, number>> = Object.fromEntries(
  'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'
    .split(' ')
    .map((word, index) => [word, index + 1]),
);
const TENS: Readonly<Record<string, number>> = {
  thirty: 30,
  forty: 40,
  fifty: 50,
  sixty: 60,
  seventy: 70,
  eighty: 80,
  ninety: 90,
};
const NUMBER = `(?:${[...Object.keys(UNITS), ...Object.keys(TENS), 'a', 'hundred', 'thousand'].join('|')})`;
/** e.g. `four or five thousand a year`, `three hundred and fifty pounds a-year`, `ten thousand per annum`. */
const INCOME = new RegExp(
  `\\b${NUMBER}(?:[\\s,-]+(?:and\\s+|or\\s+|to\\s+)?${NUMBER})*\\s+(?:pounds\\s+)?(?:a[-\\s]+year|per\\s+annum)\\b`,
  'gi',
);

function statementsIn(chapter: string): Statement[] {
  const statements: Statement[] = [];
  for (const match of chapter.matchAll(INCOME)) {
    const person = personBefore(chapter, match.index);
    if (person === undefined) continue;
    const quote = sentenceAround(chapter, match.index, match.index + match[0].length);
    statements.push({ person, pounds: poundsOf(match[0]), quote: quote.replace(/\s+/g, ' ') });
  }
  return statements;
}

/** The upper end of what the words say. */
function poundsOf(words: string): number {
  const amount = words.toLowerCase().replace(/\s+(?:pounds\s+)?(?:a[-\s]+year|per\s+annum)$/, '');
  const parts = amount.split(/\s+(?:or|to)\s+/);
  // "four or five thousand": the first part borrows the unit of the last, and is the lower end anyway.
  return Math.max(...parts.map(numberOf));
}

function numberOf(words: string): number {
  let total = 0;
  let current = 0;
  for (const word of words.split(/[\s,-]+/)) {
    if (word === 'hundred') current = Math.max(1, current) * 100;
    else if (word === 'thousand') {
      total += Math.max(1, current) * 1_000;
      current = 0;
    } else current += UNITS[word] ?? TENS[word] ?? 0;
  }
  return total + current;
}

const TITLED = /\b(?:Mr\.|Sir|Colonel|Captain|Dr\.)\s+[A-Z][a-z]+/g;
/** Characters within which a person must have been named. */
const NEAR = 900;

/** The last person with a title named before a place in the text. */
function personBefore(text: string, at: number): string | undefined {
  const names = [...text.slice(Math.max(0, at - NEAR), at).matchAll(TITLED)];
  return names.at(-1)?.[0].replace(/\s+/g, ' ');
}

/** Ends of sentences and paragraphs; the point of a title does not count. */
const SENTENCE_END = /(?<!\b(?:Mr|Mrs|Dr))[.!?]"?\s|\n\n/g;
/** Characters a quote may reach back from the sum. */
const QUOTE_REACH = 400;

function sentenceAround(text: string, start: number, end: number): string {
  const ends = [...text.slice(Math.max(0, start - QUOTE_REACH), start).matchAll(SENTENCE_END)];
  const last = ends.at(-1);
  const from = Math.max(0, start - QUOTE_REACH) + (last === undefined ? 0 : last.index + last[0].length);
  const stop = /[.;!?](?=["\s])|\n\n/.exec(text.slice(end));
  return text.slice(from, stop === null ? end : end + stop.index + 1).trim();
}
