/**
 * Kinds of text: by their beginning, where a converter makes a document of them, and by their names, in words.
 *
 * @module
 */
import type { ConvertedKind } from '../convert/kinds.ts';

/** Kinds of text by the ends of their names. */
const TEXT_KINDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    csv: 'CSV',
    tsv: 'TSV',
    tab: 'TSV',
    srt: 'subtitles',
    vtt: 'subtitles',
    json: 'JSON',
    jsonl: 'JSON Lines',
    ndjson: 'JSON Lines',
    ipynb: 'Jupyter notebook',
    md: 'Markdown',
    rst: 'reStructuredText',
    html: 'HTML',
    htm: 'HTML',
    xml: 'XML',
    svg: 'SVG',
    tex: 'LaTeX',
    yaml: 'YAML',
    yml: 'YAML',
    toml: 'TOML',
    ini: 'INI',
    log: 'log',
    sql: 'SQL',
    eml: 'e-mail',
    mbox: 'mailbox',
    py: 'Python',
    js: 'JavaScript',
    mjs: 'JavaScript',
    ts: 'TypeScript',
    tsx: 'TypeScript',
    java: 'Java',
    go: 'Go',
    c: 'C',
    h: 'C',
    cpp: 'C++',
    rs: 'Rust',
    rb: 'Ruby',
    php: 'PHP',
    cs: 'C#',
    sh: 'shell script',
    css: 'CSS',
  }),
);

/** Bytes of the beginning of a text by which its kind is recognised. */
export const TEXT_HEAD_BYTES = 4_096;

/** A page begins with its doctype or its root, behind comments. */
const HTML = /^\uFEFF?\s*(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]{0,2000}?-->\s*)*(?:<!doctype\s+html|<html[\s>])/i;
/** A mailbox begins with the line of its first message, which a header follows. */
const MAILBOX = /^From \S[^\n]*\d{1,2}:\d{2}[^\n]*\d{4}[^\n]*\n[\w-]+:/;
/** A message begins with at least two headers, of which one is of mail alone. */
const MAIL = /^(?:[A-Za-z][\w-]*:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}/;
const MAIL_HEADER = /^(?:from|message-id|received|return-path|mime-version|delivered-to):/im;
const ONE_HEADER = /^[A-Za-z][\w-]*: /;

/** The kind of document that a text is, by its beginning; its name decides only between kinds that begin alike. */
export function documentKindOf(head: string, path: string): ConvertedKind | undefined {
  if (HTML.test(head)) return 'html';
  if (MAILBOX.test(head)) return 'mbox';
  if (head.startsWith('{') && (path.endsWith('.ipynb') || (/"nbformat"/.test(head) && /"cells"/.test(head))))
    return 'notebook';
  const headers = MAIL.exec(head)?.[0];
  if (headers !== undefined && MAIL_HEADER.test(headers)) return 'eml';
  return path.endsWith('.eml') && ONE_HEADER.test(head) ? 'eml' : undefined;
}

/** Bytes up to which a table given as text has the attributes of one: more would not fit the REPL as rows. */
const ATTRIBUTED_BYTES = 64 * 1024 * 1024;
/** Kinds of text that have rows, as the guest reads them. */
const ROWS: ReadonlySet<string> = new Set(['CSV', 'TSV', 'JSON', 'JSON Lines', 'subtitles']);

/** Whether a text of that name and size has rows that code can use. */
export function hasRows(path: string, bytes: number): boolean {
  const kind = textKind(path);
  return kind !== undefined && ROWS.has(kind) && bytes <= ATTRIBUTED_BYTES;
}

/** The kind of text that a file's name indicates, e.g. `CSV`; undefined for most. */
export function textKind(path: string): string | undefined {
  const end = /\.([a-z0-9]+)$/i.exec(path)?.[1];
  return end === undefined ? undefined : TEXT_KINDS.get(end.toLowerCase());
}
