/**
 * Guesses the encoding of short text in a script other than Latin, such as the names of a table: too few letters for the
 * statistics of chardet, but windows-1252 is surely wrong.
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';
import type { TextEncoding } from '../text-encoding.ts';

/** Bytes above ASCII that have at least two more beside them, as a share of all above ASCII: Latin letters stand alone. */
const LEAST_IN_RUNS = 0.5;
const RUN = 3;
/** Fewer different bytes are a line of a box or an ornament. */
const LEAST_DIFFERENT = 4;

/** Whether bytes above ASCII come in runs, as they do where all letters are above ASCII. */
export function isForeignScript(sample: Buffer): boolean {
  let [above, inRuns] = [0, 0];
  for (let at = 0; at < sample.length; ) {
    let end = at;
    while ((sample[end] ?? 0) > 0x7f) end += 1;
    above += end - at;
    // A run of UTF-8 among other bytes is a text of two encodings.
    if (end - at >= RUN && !isUtf8(sample.subarray(at, end))) inRuns += end - at;
    at = end + 1;
  }
  const different = new Set(sample.filter((byte) => byte > 0x7f)).size;
  return different >= LEAST_DIFFERENT && inRuns >= above * LEAST_IN_RUNS;
}

type Ranges = readonly (readonly [from: number, to: number])[];

/** First bytes of the usual characters of each encoding with two bytes: kana, hangul, the first level of ideographs. */
const USUAL: ReadonlyMap<TextEncoding, Ranges> = new Map([
  [
    'shift_jis',
    [
      [0x81, 0x83],
      [0x88, 0x97],
    ],
  ],
  [
    'euc-jp',
    [
      [0xa1, 0xa1],
      [0xa4, 0xa5],
      [0xb0, 0xcf],
    ],
  ],
  [
    'gb18030',
    [
      [0xa1, 0xa1],
      [0xa3, 0xa3],
      [0xb0, 0xd7],
    ],
  ],
  [
    'euc-kr',
    [
      [0xa1, 0xa1],
      [0xa3, 0xa3],
      [0xb0, 0xc8],
    ],
  ],
  [
    'big5',
    [
      [0xa1, 0xa1],
      [0xa4, 0xc6],
    ],
  ],
] as const);

/** Letters of a script from frequent to rare. */
const LETTERS: ReadonlyMap<TextEncoding, string> = new Map([
  ['windows-1251', 'оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъ'],
  ['koi8-r', 'оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъ'],
  ['ibm866', 'оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъ'],
  ['windows-1253', 'ατοιεησνρπκμλυςδγχωθφβξζψ'],
  ['windows-1255', 'יוהלאמרתבשנכםעדקפחטגצןסזךףץ'],
  ['windows-1256', 'اليمنتربوعدسفةكهحقجشأىطصخءإذضزثئغظآؤ'],
]);

const LEAST_USUAL = 0.9;
const LEAST_LIKELY = 0.5;

/** How much of the text has usual characters in an encoding with two bytes, from 0 to 1; undefined for other encodings. */
export function usualShare(sample: Buffer, encoding: TextEncoding): number | undefined {
  const ranges = USUAL.get(encoding);
  if (ranges === undefined) return undefined;
  let [all, usual] = [0, 0];
  for (let at = 0; at < sample.length; at += 1) {
    const first = sample[at] ?? 0;
    if (first <= 0x7f) continue;
    // Katakana of half width have one byte.
    const alone = encoding === 'shift_jis' && first >= 0xa1 && first <= 0xdf;
    all += 1;
    if (!alone) at += 1;
    if (!alone && ranges.some(([from, to]) => first >= from && first <= to)) usual += 1;
  }
  return all === 0 ? 0 : usual / all;
}

/** How likely the letters are in an encoding with one byte, from 0 to 1; undefined for other encodings. */
export function letterShare(sample: Buffer, encoding: TextEncoding): number | undefined {
  const letters = LETTERS.get(encoding);
  if (letters === undefined) return undefined;
  const text = new TextDecoder(encoding).decode(sample).replace(/[\0-\x7f]/g, '');
  let [sum, before] = [0, ''];
  for (const letter of text) {
    const plain = letter.toLowerCase().normalize('NFD').charAt(0);
    const rank = letters.indexOf(letters.includes(letter.toLowerCase()) ? letter.toLowerCase() : plain);
    // A capital behind a small letter: the cases are the other way round in another encoding of the same script.
    const swapped = before !== before.toUpperCase() && letter !== letter.toLowerCase();
    if (rank !== -1 && !swapped) sum += 1 - rank / letters.length;
    before = letter;
  }
  return text === '' ? 0 : sum / text.length;
}

/** The likeliest encoding of a text of another script; `confidence` is that of chardet. */
export function likeliestForeign(
  sample: Buffer,
  decodes: (encoding: TextEncoding) => boolean,
  confidence: (encoding: TextEncoding) => number,
): TextEncoding | undefined {
  const wide = [...USUAL.keys()]
    .map((encoding) => ({ encoding, share: usualShare(sample, encoding) ?? 0 }))
    .filter(({ encoding, share }) => share >= LEAST_USUAL && decodes(encoding))
    .sort((a, b) => confidence(b.encoding) - confidence(a.encoding) || b.share - a.share);
  if (wide[0] !== undefined) return wide[0].encoding;
  const narrow = [...LETTERS.keys()]
    .map((encoding) => ({ encoding, share: letterShare(sample, encoding) ?? 0 }))
    .filter(({ share }) => share >= LEAST_LIKELY)
    .sort((a, b) => b.share - a.share);
  return narrow[0]?.encoding;
}
