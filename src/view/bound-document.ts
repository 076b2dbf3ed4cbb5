import type { RunDocument } from './run-document.ts';

/** Characters that an export may hold before a warning: such a file opens slowly on small machines. */
export const EXPORT_WARN_CHARS: number = 50 * 1024 * 1024;
/** Characters that an export holds at most: a browser parses it in one piece. */
export const EXPORT_MOST_CHARS: number = 200 * 1024 * 1024;
/** Characters that a text keeps at least. */
const LEAST_CHARS = 256;

/** A document whose texts together fit; longer texts are cut, say so, and keep their beginning. */
export function boundDocument(document: RunDocument, most: number = EXPORT_MOST_CHARS): RunDocument {
  const lengths: number[] = [];
  eachText(document, (text) => void lengths.push(text.length));
  const total = (limit: number): number => lengths.reduce((sum, length) => sum + Math.min(length, limit), 0);
  let limit = lengths.reduce((longest, length) => Math.max(longest, length), 0);
  if (total(limit) <= most) return document;
  while (limit > LEAST_CHARS && total(limit) > most) limit = Math.floor(limit / 2);
  const cut = (text: string): string => {
    if (text.length <= limit) return text;
    const left = text.length - limit;
    return `${text.slice(0, limit).toWellFormed()}\n[cut in this file: ${left} more characters]`;
  };
  const leftOut = `everything behind the first ${limit} characters of each text: the run has ${Math.round(total(Number.MAX_SAFE_INTEGER) / 1024 ** 2)} MB`;
  return { ...(mapTexts(document, cut) as RunDocument), leftOut: joined(document.leftOut, leftOut) };
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
