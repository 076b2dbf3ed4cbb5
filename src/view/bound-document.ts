import type { RunDocument } from './run-document.ts';

const MIB = 1024 * 1024;

/** Bytes of an export before a warning: such a file opens slowly on small machines. */
export const EXPORT_WARN_BYTES: number = 50 * MIB;
/** Bytes of the texts in an export at most: a browser parses the file in one piece. */
export const EXPORT_MOST_BYTES: number = 200 * MIB;
/** Characters that a text keeps at least. */
const LEAST_CHARS = 256;
/** Steps in which the length of the longest texts is found: within a thousandth of the longest. */
const STEPS = 10;

/** A document whose texts together fit; longer texts are cut, say so, and keep their beginning. */
export function boundDocument(document: RunDocument, most: number = EXPORT_MOST_BYTES): RunDocument {
  const texts: string[] = [];
  eachText(document, (text) => void texts.push(text));
  const total = (chars: number): number => texts.reduce((sum, text) => sum + embeddedBytes(text, chars), 0);
  const whole = total(Number.POSITIVE_INFINITY);
  if (whole <= most) return document;
  let [low, high] = [LEAST_CHARS, texts.reduce((longest, { length }) => Math.max(longest, length), 0)];
  for (let step = 0; step < STEPS && high > low; step++) {
    const middle = Math.ceil((low + high) / 2);
    if (total(middle) <= most) low = middle;
    else high = middle - 1;
  }
  const limit = low;
  const cut = (text: string): string => {
    if (text.length <= limit) return text;
    const left = text.length - limit;
    return `${text.slice(0, limit).toWellFormed()}\n[cut in this file: ${left} more characters]`;
  };
  const leftOut = `everything behind the first ${limit} characters of each text: the run has ${Math.round(whole / MIB)} MB`;
  return { ...(mapTexts(document, cut) as RunDocument), leftOut: joined(document.leftOut, leftOut) };
}

/** The bytes that the first characters of a text take in the file: as JSON, without signs of HTML, in UTF-8. */
export function embeddedBytes(text: string, chars: number = Number.POSITIVE_INFINITY): number {
  const end = Math.min(text.length, chars);
  let bytes = 0;
  for (let at = 0; at < end; at++) bytes += bytesOf(text.charCodeAt(at));
  return bytes;
}

/** A surrogate counts like one that is alone, which JSON escapes: a pair takes 4 of these 12 bytes. */
function bytesOf(code: number): number {
  if (code < 0x20) return code >= 0x08 && code <= 0x0d && code !== 0x0b ? 2 : 6;
  if (code === 0x22 || code === 0x5c) return 2;
  if (code === 0x3c || code === 0x3e || code === 0x26 || code === 0x2028 || code === 0x2029) return 6;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code >= 0xd800 && code < 0xe000 ? 6 : 3;
}

/** A document of the same tree without a word of what was asked, read or answered. */
export function withoutContent(document: RunDocument): RunDocument {
  const hidden = (text: string, field: string, owner: string): string =>
    text === '' || isKept(text, field, owner) ? text : `[left out: ${text.length} characters]`;
  const bare = mapTexts(document, hidden) as RunDocument;
  return { ...bare, leftOut: 'all texts (--no-content): figures, models, times and outcomes are here' };
}

/** Fields that never hold words of users, models or data. Every other text is content, those of later versions included. */
const KEPT: ReadonlySet<string> = new Set([
  ...['format', 'origin', 'id', 'runId', 'childRunId', 'sessionId', 'status', 'outcome', 'stop', 'verdict', 'purpose'],
  ...['createdAt', 'updatedAt', 'startedAt', 'time', 'model', 'rootModel', 'subCallModel', 'subModels', 'backend'],
  ...['isolation', 'kind', 'level', 'role', 'finishReason', 'form'],
]);

/** Exceptions of Python: the name of any other is a word of the code. */
const PYTHON_ERROR =
  /^(?:Arithmetic|Assertion|Attribute|EOF|FileExists|FileNotFound|Import|Indentation|Index|IsADirectory|Key|Lookup|Memory|ModuleNotFound|Name|NotADirectory|NotImplemented|OS|Overflow|Permission|Recursion|Runtime|Syntax|System|Timeout|Type|UnboundLocal|Unicode(?:Decode|Encode)?|Value|ZeroDivision)Error$/;

function isKept(text: string, field: string, owner: string): boolean {
  if (KEPT.has(field)) return true;
  if (field === 'type')
    return owner === 'error' ? PYTHON_ERROR.test(text) : owner === 'command' || owner === 'contexts';
  return field === 'code' && (owner === 'error' || owner === 'rejected');
}

function joined(before: string | undefined, more: string): string {
  return before === undefined ? more : `${before}; ${more}`;
}

function eachText(value: unknown, visit: (text: string) => void): void {
  if (typeof value === 'string') visit(value);
  else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) eachText(each, visit);
}

/** A copy in which every text is the result of `map`. Items of a list have the name of the list. */
function mapTexts(value: unknown, map: (text: string, field: string, owner: string) => string): unknown {
  const copy = (each: unknown, field: string, owner: string): unknown => {
    if (typeof each === 'string') return map(each, field, owner);
    if (Array.isArray(each)) return each.map((item) => copy(item, field, owner));
    if (typeof each !== 'object' || each === null) return each;
    return Object.fromEntries(Object.entries(each).map(([name, inner]) => [name, copy(inner, name, field)]));
  };
  return copy(value, '', '');
}
