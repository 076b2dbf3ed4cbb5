/**
 * Guesses the encoding of a text by its bytes, where the caller named none.
 *
 * @module
 */
import { isAscii } from 'node:buffer';
import { analyse } from 'chardet';
import { encodingOfLabel, type TextEncoding } from '../text-encoding.ts';
import { isForeignScript, likeliestForeign } from './rank-encodings.ts';

/** A mark at the beginning of a text, which says its encoding and is not part of it. */
export interface ByteOrderMark {
  readonly encoding: TextEncoding;
  readonly bytes: number;
}

export function byteOrderMark(head: Buffer): ByteOrderMark | undefined {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', bytes: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', bytes: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', bytes: 2 };
  return undefined;
}

/** Bytes of a text that a guess looks at. */
export const SAMPLE_BYTES = 65_536;

const ESCAPE = '\u001b';
/** In Latin text nearly every second byte of UTF-16 is NUL; where there are line ends and blanks, some are. A few
 * characters have their NUL at the other place. */
const MOST_OTHER_NULS = 0.2;
/** Characters that text does not hold, as a share of all: more say that bytes only look like UTF-16. */
const MOST_STRANGE = 0.02;

/** UTF-16 without its mark: NULs at odd places (little endian) or at even ones, and text when it is decoded. */
export function unmarkedUtf16(sample: Buffer): TextEncoding | undefined {
  const even = sample.subarray(0, sample.length & ~1);
  let [atEven, atOdd] = [0, 0];
  for (let at = 0; at < even.length; at += 2) {
    if (even[at] === 0) atEven += 1;
    if (even[at + 1] === 0) atOdd += 1;
  }
  const found = Math.max(atEven, atOdd);
  if (found === 0 || Math.min(atEven, atOdd) > found * MOST_OTHER_NULS) return undefined;
  const encoding = atOdd > atEven ? 'utf-16le' : 'utf-16be';
  return readsAsText(even, encoding) ? encoding : undefined;
}

function readsAsText(bytes: Buffer, encoding: TextEncoding): boolean {
  // The cut at the end may fall into a pair.
  const text = new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes).replace(/\ufffd$/, '');
  const strange = text.match(STRANGE)?.length ?? 0;
  return text !== '' && strange <= text.length * MOST_STRANGE;
}

/** Controls, halves of pairs, unassigned and private characters, but for line ends, tabs and the escape of terminals. */
const STRANGE = new RegExp(`[^\\P{C}\\p{Cf}\\t\\n\\f\\r${ESCAPE}]|\\ufffd`, 'gu');

/** ISO-2022-JP is ASCII but for the escapes that switch its sets. */
const ISO_2022_JP = new RegExp(`${ESCAPE}(?:\\$[@B]|\\([JI])`);

/** The encoding of ASCII bytes that switch to other characters by escapes. */
export function escapedEncoding(sample: Buffer): TextEncoding | undefined {
  return ISO_2022_JP.test(sample.toString('latin1')) ? 'iso-2022-jp' : undefined;
}

/** Bytes in which a declaration has to stand. */
const DECLARATION_BYTES = 1_024;
const XML_DECLARATION = /^\s*<\?xml\s[^>]*\bencoding\s*=\s*["']([A-Za-z][\w.:-]*)["']/;
const HTML_DECLARATION = /<meta\s[^>]*\bcharset\s*=\s*["']?\s*([A-Za-z][\w.:-]*)/i;

/** The encoding that an XML or HTML document declares. UTF-16 is not believed of bytes that could be read as ASCII. */
export function declaredEncoding(head: Buffer): TextEncoding | undefined {
  const beginning = head.toString('latin1', 0, DECLARATION_BYTES);
  const label = (XML_DECLARATION.exec(beginning) ?? HTML_DECLARATION.exec(beginning))?.[1];
  const encoding = label === undefined ? undefined : encodingOfLabel(label);
  return encoding?.startsWith('utf-') ? undefined : encoding;
}

/**
 * The guesses of chardet that are believed, each from a confidence on. Its other guesses, those among Western encodings
 * above all, are not better than windows-1252. Below these figures it takes Western names for Japanese ones.
 */
const BELIEVED: ReadonlyMap<string, readonly [TextEncoding, number]> = new Map([
  ['Shift_JIS', ['shift_jis', 60]],
  ['EUC-JP', ['euc-jp', 60]],
  ['GB18030', ['gb18030', 60]],
  ['Big5', ['big5', 60]],
  ['EUC-KR', ['euc-kr', 60]],
  ['windows-1251', ['windows-1251', 40]],
  ['KOI8-R', ['koi8-r', 40]],
  ['ISO-8859-7', ['windows-1253', 45]],
  ['windows-1256', ['windows-1256', 90]],
]);

/** The best guess for text that is not UTF-8. */
export function guessEncoding(sample: Buffer): TextEncoding {
  // ASCII says nothing, and a long beginning of it hides the rest.
  const telling = Buffer.from(sample.filter((byte, at) => byte > 0x7f || nearOthers(sample, at)));
  const ranked = analyse(telling.length < sample.length / 2 ? telling : sample);
  for (const { name, confidence } of ranked) {
    const believed = BELIEVED.get(name);
    if (believed !== undefined && confidence >= believed[1] && decodes(sample, believed[0])) return believed[0];
  }
  if (!isForeignScript(sample)) return 'windows-1252';
  const confidence = (encoding: TextEncoding): number =>
    ranked.find(({ name }) => BELIEVED.get(name)?.[0] === encoding)?.confidence ?? 0;
  return likeliestForeign(sample, (encoding) => decodes(sample, encoding), confidence) ?? 'windows-1252';
}

/** Within two bytes of one that is not ASCII: the second halves of characters, and the marks around words. */
function nearOthers(sample: Buffer, at: number): boolean {
  for (let near = at - 2; near <= at + 2; near += 1) if ((sample[near] ?? 0) > 0x7f) return true;
  return false;
}

/** Whether all of it is text of that encoding, but for a character that the end cuts. */
function decodes(sample: Buffer, encoding: TextEncoding): boolean {
  if (isAscii(sample)) return true;
  try {
    new TextDecoder(encoding, { fatal: true }).decode(sample, { stream: true });
    return true;
  } catch {
    return false; // It says so by an error.
  }
}
