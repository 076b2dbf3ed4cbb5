/** Comments, messages, prompts and documents are in plain English, and names use the terms of the field. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findPython } from '../../tools/find-python.ts';
import { ALLOWED, COINED, PHRASES } from './phrases.ts';
import { markdownPassages, type Parts, pythonParts, typescriptParts } from './prose.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Recorded replies of a model, the texts of others, and the examples in this file are data. */
const DATA = /^demo\/(?:recorded|novels)\/|^test\/architecture\/phrases\.test\.ts$/;
const READ = ['src', 'test', 'guest', 'docs', 'bench', 'tools', 'demo', 'examples', 'viewer', '*.md', '*.config.ts'];

interface Finding {
  readonly file: string;
  readonly at: string;
}

function findings(file: string, { passages, names }: Parts): readonly Finding[] {
  const phrases = passages.flatMap(({ line, text }) =>
    PHRASES.filter(({ pattern }) => pattern.test(text) && !ALLOWED.some((allowed) => text.includes(allowed.text))).map(
      ({ pattern, instead }) => `${file}:${line} "${pattern.exec(text)?.[0].slice(0, 60)}" → ${instead}`,
    ),
  );
  const words = [{ line: 1, text: basename(file, extname(file)) }, ...names].flatMap(({ line, text }) =>
    COINED.filter(({ pattern }) => pattern.test(text)).map(({ instead }) => `${file}:${line} ${text} → ${instead}`),
  );
  return [...phrases, ...words].map((at) => ({ file, at }));
}

const phrasesIn = (parts: Partial<Parts>): readonly string[] =>
  findings('x.ts', { passages: [], names: [], ...parts }).map(({ at }) => at);

describe('the reader of texts', () => {
  it('takes comments, strings and templates out of TypeScript, and nothing else', () => {
    const source = [
      '// What a line says',
      '// goes on here.',
      `const told = /nobody "quoted"/.test(\`a \${\`b \${whoever}\`} c\`) ? 1 / 2 : 3 / 4; // stands`,
      "/** One\n * two. */ const text = 'it\\'s told';",
    ].join('\n');
    expect(typescriptParts(source).passages.map(({ line, text }) => [line, text])).toEqual([
      [1, 'What a line says goes on here.'],
      [3, 'a'],
      [3, 'b'],
      [3, ''],
      [3, 'c'],
      [3, 'stands'],
      [4, 'One two.'],
      [5, "it\\'s told"],
    ]);
    expect(typescriptParts(source).names.map(({ text }) => text)).toEqual(['told', 'test', 'whoever', 'text']);
  });

  it('takes paragraphs, list items and cells out of a document, without its code', () => {
    const document = '# Title\n\nOne\ntwo.\n- Item\n  goes on\n\n```\nnobody\n```\n| a | b |';
    expect(markdownPassages(document).map(({ text }) => text)).toEqual([
      ...['Title', 'One two.', 'Item goes on', '', 'a', 'b', ''],
    ]);
  });

  it('finds each phrase, and leaves its neighbours in plain English alone', () => {
    const wrong = ['This is no file.', 'What it holds.', 'It was told.', 'It stands here.', 'What came of it?'];
    const right = [
      'There is no file.',
      'It is not told'.replace('told', 'sent'),
      'What is it?',
      'It is no longer open.',
      'It says what it read, and what is wrong.',
    ];
    const more = [
      'It goes on.',
      'Values handed over.',
      'begins anew',
      'Kept; what is left is sent.',
      'so that what fits is kept',
    ];
    for (const text of [...wrong, ...more, 'as F12 says', 'B3, B9: a line', 'comes to nothing']) {
      expect(phrasesIn({ passages: [{ line: 1, text }] }), text).not.toEqual([]);
    }
    for (const text of [...right, 'Unicode U+F12', 'cells A1 and B2', 'It comes to an end.']) {
      expect(phrasesIn({ passages: [{ line: 1, text }] }), text).toEqual([]);
    }
    for (const text of ['bornAgain', 'RunKeeper', 'told', 'twin_maker', 'SessionTerms']) {
      expect(phrasesIn({ names: [{ line: 1, text }] }), text).toHaveLength(1);
    }
    for (const text of ['understanding', 'between', 'tellers', 'TermsOfUse']) {
      expect(phrasesIn({ names: [{ line: 1, text }] }), text).toEqual([]);
    }
  });
});

describe('texts and names', async () => {
  const python = await findPython();
  const listed = execFileSync('git', ['ls-files', '--', ...READ], { cwd: ROOT, encoding: 'utf8' })
    .trim()
    .split('\n');
  const files = listed.filter((file) => !DATA.test(file));
  const text = (file: string): string => readFileSync(`${ROOT}${file}`, 'utf8');
  const sources = files.filter((file) => file.endsWith('.py'));
  const ofPython = (): readonly (readonly Finding[])[] =>
    pythonParts(
      python ?? 'python3',
      sources.map((file) => `${ROOT}${file}`),
    ).map((parts, index) => findings(sources[index] ?? '', parts));

  it('keep to the standard terms in every file', { timeout: 120_000 }, (test) => {
    if (python === undefined) test.skip('no CPython on this machine to read the guest package');
    const all = [
      ...files
        .filter((file) => /(?<!\.d)\.ts$/.test(file))
        .flatMap((file) => findings(file, typescriptParts(text(file)))),
      ...files
        .filter((file) => file.endsWith('.md'))
        .flatMap((file) => findings(file, { passages: markdownPassages(text(file)), names: [] })),
      ...ofPython().flat(),
    ];
    expect(all.map(({ at }) => at)).toEqual([]);
  });

  it('are allowed by exceptions that a file still needs', () => {
    const everything = files
      .filter((file) => /\.(?:ts|py|md)$/.test(file))
      .map(text)
      .join('\n')
      .replace(/\s+/g, ' ');
    expect(ALLOWED.filter((allowed) => !everything.includes(allowed.text))).toEqual([]);
  });
});
