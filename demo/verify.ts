/**
 * Checks an answer of the demo with plain code over the whole text: no model, no chapters, nothing shared with the engine
 * or with the reader that played the model.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DemoAnswer } from './question.ts';

/** One thing that was checked. */
export interface Check {
  readonly ok: boolean;
  readonly says: string;
}

/** A sum per year as a novel writes it. */
export interface Sum {
  readonly novel: string;
  readonly pounds: number;
  /** The words of the sum. */
  readonly words: string;
  /** Index of its first word in the novel. */
  readonly at: number;
}

/** Words before a sum in which its owner has to be named. */
const SCENE_WORDS = 160;

/** Checks all that the answer claims against the novels in a folder. */
export function verify(answer: DemoAnswer, folder: string): readonly Check[] {
  const novels = new Map(
    readdirSync(folder)
      .filter((name) => name.endsWith('.txt'))
      .map((name) => [name, wordsOf(readFileSync(join(folder, name), 'utf8'))]),
  );
  const sums = [...novels].flatMap(([novel, words]) => sumsIn(novel, words)).sort((a, b) => b.pounds - a.pounds);
  const largest = sums[0];
  const below = sums.find((sum) => sum.pounds < (largest?.pounds ?? 0));
  const words = novels.get(answer.novel) ?? [];
  const quote = wordsOf(answer.quote);
  const at = indexOfWords(words, quote);
  const inQuote = sums.filter((sum) => sum.novel === answer.novel && sum.at >= at && sum.at < at + quote.length);
  const named = lastNamedBefore(words, inQuote.find((sum) => sum.pounds === answer.poundsPerYear)?.at ?? at);
  return [
    {
      ok: largest !== undefined && answer.poundsPerYear === largest.pounds,
      says: `of ${sums.length} sums per year in all ${novels.size} novels the largest is ${largest?.pounds ?? 0} ("${largest?.words ?? ''}", ${largest?.novel ?? '?'}); the next lower one is ${below?.pounds ?? 0} (${below?.novel ?? '?'})`,
    },
    {
      ok: at >= 0,
      says: `the quote is word for word in ${answer.novel}${at >= 0 ? `, at word ${at}` : ': NOT FOUND'}`,
    },
    {
      ok: inQuote.some((sum) => sum.pounds === answer.poundsPerYear),
      says: `the quote itself says ${inQuote.map((sum) => `"${sum.words}"`).join(', ') || 'no sum'}`,
    },
    {
      ok: named !== undefined && lastName(answer.person) === lastName(named),
      says: `the gentleman last named before that sum is ${named ?? 'no person'}`,
    },
  ];
}

function wordsOf(text: string): readonly string[] {
  return text.split(/\s+|--/).filter((word) => word !== '');
}

const SMALL = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
];
const TEENS = ['thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen'];
const ROUND = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const VALUES = new Map<string, number>([
  ...[...SMALL, ...TEENS].map((word, value): [string, number] => [word, value]),
  ...ROUND.map((word, index): [string, number] => [word, 20 + 10 * index]),
]);
const LINKS: ReadonlySet<string> = new Set(['and', 'or', 'to', 'a', 'pounds', 'hundred', 'thousand']);

/** Every sum followed by "a year", "a-year" or "per annum", found by walking back over number words. */
export function sumsIn(novel: string, words: readonly string[]): readonly Sum[] {
  const plain = words.map((word) => word.toLowerCase().replace(/^[^a-z]+|[^a-z]+$/g, ''));
  const sums: Sum[] = [];
  for (const [index, word] of plain.entries()) {
    const yearly =
      word === 'a-year' ||
      (word === 'year' && plain[index - 1] === 'a') ||
      (word === 'annum' && plain[index - 1] === 'per');
    if (!yearly) continue;
    const end = word === 'a-year' ? index : index - 1;
    let start = end;
    while (start > 0 && isNumberWord(plain[start - 1] ?? '')) start--;
    while (plain[start] === 'and' || plain[start] === 'or' || plain[start] === 'to') start++;
    const pounds = upperEnd(plain.slice(start, end));
    if (pounds >= 50) sums.push({ novel, pounds, words: words.slice(start, index + 1).join(' '), at: start });
  }
  return sums;
}

function isNumberWord(word: string): boolean {
  return VALUES.has(word) || LINKS.has(word);
}

function upperEnd(words: readonly string[]): number {
  let largest = 0;
  let sum = 0;
  let group = 0;
  for (const word of [...words, 'or']) {
    if (word === 'or' || word === 'to') {
      largest = Math.max(largest, sum + group);
      sum = 0;
      group = 0;
    } else if (word === 'thousand') {
      sum += (group || 1) * 1_000;
      group = 0;
    } else if (word === 'hundred') group = (group || 1) * 100;
    else group += VALUES.get(word) ?? 0;
  }
  return largest;
}

function indexOfWords(words: readonly string[], wanted: readonly string[]): number {
  const bare = (word: string): string => word.replace(/^["'_]+|["'_]+$/g, '');
  const first = bare(wanted[0] ?? '');
  for (let at = 0; at + wanted.length <= words.length; at++) {
    if (
      bare(words[at] ?? '') === first &&
      wanted.every((word, offset) => bare(words[at + offset] ?? '') === bare(word))
    )
      return at;
  }
  return -1;
}

/** The gentleman last named with his title before a place. */
function lastNamedBefore(words: readonly string[], place: number): string | undefined {
  for (let index = place - 1; index >= Math.max(0, place - SCENE_WORDS); index--) {
    const name = gentlemanAt(words, index);
    if (name !== undefined) return name;
  }
  return undefined;
}

function gentlemanAt(words: readonly string[], index: number): string | undefined {
  const title = /^\W*(Mr\.|Sir|Colonel|Captain|Dr\.)$/.exec(words[index] ?? '')?.[1];
  return title === undefined ? undefined : `${title} ${(words[index + 1] ?? '').replace(/('s)?[^A-Za-z]*$/, '')}`;
}

function lastName(person: string): string {
  return person.trim().split(/\s+/).at(-1) ?? '';
}
