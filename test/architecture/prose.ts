/** Separates a source into the texts that people and models read (comments, strings, documents) and the names of its code. */
import { execFileSync } from 'node:child_process';
import { SyntaxKind } from 'typescript/unstable/ast';
import { createScanner } from 'typescript/unstable/ast/scanner';

/** A comment, string or paragraph without its line breaks and comment marks; or one name. */
export interface Passage {
  readonly line: number;
  readonly text: string;
}

/** A source, taken apart. */
export interface Parts {
  readonly passages: readonly Passage[];
  readonly names: readonly Passage[];
}

const COMMENTS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.SingleLineCommentTrivia,
  SyntaxKind.MultiLineCommentTrivia,
]);
const STRINGS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.StringLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateHead,
  SyntaxKind.TemplateMiddle,
  SyntaxKind.TemplateTail,
]);
/** After these a slash divides; after everything else it opens a regular expression. */
const VALUES: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.Identifier,
  SyntaxKind.NumericLiteral,
  SyntaxKind.BigIntLiteral,
  SyntaxKind.StringLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateTail,
  SyntaxKind.RegularExpressionLiteral,
  SyntaxKind.CloseParenToken,
  SyntaxKind.CloseBracketToken,
  SyntaxKind.CloseBraceToken,
  SyntaxKind.ThisKeyword,
]);
const NAMES: ReadonlySet<SyntaxKind> = new Set([SyntaxKind.Identifier, SyntaxKind.PrivateIdentifier]);
const TRIVIA: ReadonlySet<SyntaxKind> = new Set([...COMMENTS, SyntaxKind.WhitespaceTrivia, SyntaxKind.NewLineTrivia]);

function plain(text: string): string {
  return text
    .replace(/^\s*(?:\/\*\*?|\/\/|\*(?!\/)|#)\s?/gm, '')
    .replaceAll('*/', '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The comments, strings and names of a TypeScript source. Neighbouring `//` lines are one passage. */
export function typescriptParts(source: string): Parts {
  const scanner = createScanner(false, undefined, source);
  const passages: { line: number; end: number; text: string }[] = [];
  const names: Passage[] = [];
  /** Per open brace: whether a template continues behind it. */
  const braces: boolean[] = [];
  let previous: SyntaxKind = SyntaxKind.Unknown;
  let line = 1;
  let counted = 0;
  for (let token = scanner.scan(); token !== SyntaxKind.EndOfFile; token = scanner.scan()) {
    let kind: SyntaxKind = token;
    if (kind === SyntaxKind.OpenBraceToken) braces.push(false);
    if (kind === SyntaxKind.CloseBraceToken && braces.pop() === true) kind = scanner.reScanTemplateToken(false);
    if (kind === SyntaxKind.TemplateHead || kind === SyntaxKind.TemplateMiddle) braces.push(true);
    const slash = kind === SyntaxKind.SlashToken || kind === SyntaxKind.SlashEqualsToken;
    if (slash && !VALUES.has(previous)) kind = scanner.reScanSlashToken();
    const start = scanner.getTokenStart();
    line += source.slice(counted, start).split('\n').length - 1;
    counted = start;
    const text = scanner.getTokenText();
    const end = line + text.split('\n').length - 1;
    const last = passages.at(-1);
    const continues = kind === SyntaxKind.SingleLineCommentTrivia && last?.end === line - 1;
    if (continues && lineBefore(source, start).trim() === '') {
      Object.assign(last, { end: line, text: `${last.text} ${plain(text)}` });
    } else if (COMMENTS.has(kind)) passages.push({ line, end, text: plain(text) });
    else if (STRINGS.has(kind))
      passages.push({ line, end: -1, text: plain(text.replace(/^['"`}]|['"`]$|\$\{$/g, '')) });
    else if (NAMES.has(kind)) names.push({ line, text });
    if (!TRIVIA.has(kind)) previous = kind;
  }
  return { passages, names };
}

function lineBefore(source: string, position: number): string {
  return source.slice(source.lastIndexOf('\n', position - 1) + 1, position);
}

/** Neighbouring comment lines are one passage; the pieces of f-strings (Python 3.12) and whole strings are passages. */
const PYTHON = `
import json, sys, tokenize
names = {"STRING", "FSTRING_MIDDLE"}
for path in sys.argv[1:]:
    found = []
    named = []
    last = -9
    with open(path, "rb") as source:
        for token in tokenize.tokenize(source.readline):
            kind = tokenize.tok_name[token.type]
            if kind == "COMMENT":
                alone = token.line.strip().startswith("#")
                if alone and last == token.start[0] - 1:
                    found[-1][1] += "\\n" + token.string
                else:
                    found.append([token.start[0], token.string])
                last = token.start[0] if alone else -9
            elif kind in names:
                text = token.string if kind == "FSTRING_MIDDLE" else token.string.lstrip("rbfuRBFU").strip("\\"'")
                found.append([token.start[0], text])
            elif kind == "NAME":
                named.append([token.start[0], token.string])
    print(json.dumps([found, named]))
`;

/** The comments, strings and names of Python sources, one per path, read by Python's own tokenizer. */
export function pythonParts(python: string, paths: readonly string[]): readonly Parts[] {
  const output = execFileSync(python, ['-I', '-c', PYTHON, ...paths], { encoding: 'utf8', maxBuffer: 64 << 20 });
  return output
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as [[number, string][], [number, string][]])
    .map(([found, named]) => ({
      passages: found.map(([line, text]) => ({ line, text: plain(text) })),
      names: named.map(([line, text]) => ({ line, text })),
    }));
}

/** The paragraphs, list items and table cells of a document, without its blocks of code. */
export function markdownPassages(document: string): readonly Passage[] {
  const passages: { line: number; text: string }[] = [];
  let inCode = false;
  let open = false;
  for (const [index, text] of document.split('\n').entries()) {
    if (/^\s*(?:```|~~~)/.test(text)) inCode = !inCode;
    const item = /^\s*(?:[-*] |\d+\. |#+ |\|)/.test(text);
    const blank = inCode || /^\s*(?:```|~~~|$)/.test(text);
    const last = passages.at(-1);
    if (blank) open = false;
    else if (text.startsWith('|'))
      for (const cell of text.split('|')) passages.push({ line: index + 1, text: plain(cell) });
    else if (open && !item && last !== undefined) last.text += ` ${text.trim()}`;
    else passages.push({ line: index + 1, text: text.replace(/^\s*(?:[-*] |\d+\. |#+ )/, '').trim() });
    if (!blank) open = !text.startsWith('|') && !text.startsWith('#');
  }
  return passages;
}
