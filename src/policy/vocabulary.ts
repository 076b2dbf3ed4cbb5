/** A term of a domain, with other words for it and the terms it belongs with. */
export interface VocabularyTerm {
  readonly term: string;
  readonly synonyms?: readonly string[];
  /** Terms that may be used together with it; the relation holds both ways. */
  readonly related?: readonly string[];
}

/** How closely commands have to keep to a vocabulary. */
export const STRICTNESS = ['permissive', 'normal', 'strict'] as const;

/**
 * `permissive`: only logged. `normal`: one term, and a tenth of the words. `strict`: three tenths of the words, and all terms of
 * the command connected.
 */
export type Strictness = (typeof STRICTNESS)[number];

/** Terms that commands have to be about. */
export interface Vocabulary {
  readonly terms: readonly VocabularyTerm[];
  /** Default `normal`. */
  readonly strictness?: Strictness;
}

/** Share of a command's words that have to be terms. */
const SHARE: Readonly<Record<Strictness, number>> = { permissive: 0.1, normal: 0.1, strict: 0.3 };
/** Terms named in a refusal. */
const NAMED_TERMS = 20;

/** Why a command is not about the vocabulary; undefined where it is. */
export function outsideVocabulary(source: string, { terms, strictness = 'normal' }: Vocabulary): string | undefined {
  const words = wordsOf(source);
  if (words.length === 0) return undefined;
  const found = new Set<string>();
  let matched = 0;
  for (const word of words) {
    const term = terms.find(({ term: name, synonyms = [] }) => [name, ...synonyms].some((one) => sameWord(one, word)));
    if (term === undefined) continue;
    matched += 1;
    found.add(term.term);
  }
  const share = matched / words.length;
  const known = `the terms are ${terms
    .slice(0, NAMED_TERMS)
    .map(({ term }) => term)
    .join(', ')}${terms.length > NAMED_TERMS ? ', …' : ''}`;
  if (found.size === 0) return `the command uses no term of the vocabulary; ${known}`;
  if (share < SHARE[strictness]) {
    return `${matched} of ${words.length} words of the command are in the vocabulary, and ${SHARE[strictness] * 100} % have to be; ${known}`;
  }
  if (strictness !== 'strict' || connected([...found], terms)) return undefined;
  return `the terms ${[...found].join(', ')} of the command do not belong together in the vocabulary; use one of them, or terms that are related`;
}

/** Words of names, texts and comments, without those of the language. */
function wordsOf(source: string): readonly string[] {
  const plain = source.replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2');
  const words = plain.match(/\p{L}{3,}/gu) ?? [];
  return words.map((word) => word.toLowerCase()).filter((word) => !LANGUAGE.has(word));
}

/** A plural is its singular. */
function sameWord(term: string, word: string): boolean {
  const stem = (text: string): string => text.toLowerCase().replace(/(?:es|s)$/, '');
  return stem(term) === stem(word);
}

function connected(found: readonly string[], terms: readonly VocabularyTerm[]): boolean {
  const [first, ...others] = found;
  if (first === undefined) return true;
  const reached = new Set([first]);
  for (const name of reached) {
    for (const other of others) if (!reached.has(other) && related(name, other, terms)) reached.add(other);
  }
  return reached.size === found.length;
}

function related(a: string, b: string, terms: readonly VocabularyTerm[]): boolean {
  const lists = (from: string, to: string): boolean =>
    terms.some(({ term, related: list = [] }) => term === from && list.includes(to));
  return lists(a, b) || lists(b, a);
}

/** Words of Python, of the shell and of the REPL: they are about no domain. */
const LANGUAGE: ReadonlySet<string> = new Set([
  ...[
    'and',
    'assert',
    'async',
    'await',
    'break',
    'case',
    'class',
    'continue',
    'def',
    'del',
    'elif',
    'else',
    'except',
    'false',
    'finally',
  ],
  ...[
    'for',
    'from',
    'global',
    'import',
    'lambda',
    'match',
    'none',
    'nonlocal',
    'not',
    'pass',
    'raise',
    'return',
    'true',
    'try',
    'while',
  ],
  ...[
    'with',
    'yield',
    'print',
    'len',
    'range',
    'str',
    'int',
    'float',
    'list',
    'dict',
    'set',
    'tuple',
    'sorted',
    'sum',
    'min',
    'max',
  ],
  ...[
    'enumerate',
    'zip',
    'map',
    'filter',
    'any',
    'all',
    'open',
    'read',
    'split',
    'join',
    'strip',
    'lower',
    'upper',
    'append',
    'items',
  ],
  ...[
    'keys',
    'values',
    'context',
    'final',
    'var',
    'llm',
    'rlm',
    'query',
    'batched',
    'search',
    'chunks',
    'history',
    'answer',
    'json',
  ],
  ...[
    'echo',
    'cat',
    'grep',
    'sed',
    'awk',
    'sort',
    'uniq',
    'head',
    'tail',
    'find',
    'then',
    'done',
    'esac',
    'txt',
    'csv',
    're',
  ],
]);
