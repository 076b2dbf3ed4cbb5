import { blockToSend } from '../protocol/index.ts';
import type { Note } from './feedback.ts';

interface Instead {
  /** Modules as they are imported. */
  readonly modules: readonly string[];
  /** The replacement. */
  readonly use: string;
  /** Code that does the usual first step without the module. */
  readonly code?: string;
}

const ROWS = [
  'import csv, io',
  'rows = list(csv.DictReader(io.StringIO(str(context))))',
  'print(len(rows), rows[:3])',
].join('\n');

/** Replacements for packages that models expect. */
const INSTEAD: readonly Instead[] = [
  { modules: ['pandas', 'polars', 'openpyxl', 'xlrd'], use: 'csv, json and collections', code: ROWS },
  { modules: ['numpy', 'scipy', 'sklearn'], use: 'statistics, math and random, with lists' },
  { modules: ['requests', 'httpx', 'aiohttp', 'urllib3'], use: 'the data in `context`: there is no network' },
  {
    modules: ['openai', 'anthropic', 'langchain', 'transformers', 'litellm', 'google'],
    use: 'llm_query(prompt) and llm_query_batched(prompts), which are bound',
  },
  { modules: ['bs4', 'lxml', 'html2text'], use: 'html.parser, xml.etree.ElementTree and re' },
  { modules: ['nltk', 'spacy', 'textblob'], use: 're and collections.Counter, or llm_query for meaning' },
  { modules: ['tiktoken', 'sentencepiece'], use: 'len(text) // 4 as the number of tokens' },
  { modules: ['regex'], use: 're' },
  { modules: ['dateutil', 'pytz', 'arrow', 'pendulum'], use: 'datetime and zoneinfo' },
  { modules: ['rapidfuzz', 'fuzzywuzzy', 'Levenshtein'], use: 'difflib' },
  { modules: ['yaml', 'toml'], use: 'tomllib, json, or a few lines of re' },
  { modules: ['matplotlib', 'seaborn', 'plotly', 'PIL'], use: 'printed numbers: you see text only' },
  { modules: ['PyPDF2', 'pypdf', 'fitz', 'docx', 'pdfplumber'], use: 'the text in `context`' },
  { modules: ['tqdm', 'rich', 'tabulate'], use: 'print' },
];

/** A module that is not installed: what there is instead, and the code without the import where it is not needed. */
export function missingModule(module: string, code: string): Note {
  const [root = module] = module.split('.');
  const instead = INSTEAD.find(({ modules }) => modules.includes(root));
  const use = instead === undefined ? 'the standard library of Python' : instead.use;
  const text = `${root} is not installed and cannot be. Use instead: ${use}`;
  const without = withoutUnusedImport(root, code) ?? instead?.code;
  const send = without === undefined ? undefined : blockToSend(without);
  return send === undefined ? { text } : { text: `${text}. Send exactly this`, send };
}

/** The code without the import, if nothing in it uses the module. */
function withoutUnusedImport(module: string, code: string): string | undefined {
  const line = new RegExp(`^import[ \\t]+${module}(?:\\.[\\w.]+)?(?:[ \\t]+as[ \\t]+(\\w+))?[ \\t]*$`, 'm');
  const match = line.exec(code);
  if (match === null) return undefined;
  const rest = code.replace(match[0], '');
  return new RegExp(`\\b${match[1] ?? module}\\b`).test(rest) ? undefined : rest;
}

/** Modules whose name is used as it is. */
const MODULES =
  're json math csv io os sys random string statistics itertools functools collections textwrap time hashlib base64 asyncio heapq bisect difflib unicodedata operator decimal fractions glob copy pprint html urllib zipfile xml'.split(
    ' ',
  );

/** Names that come from a module: where each is imported from. */
const FROM: Readonly<Record<string, readonly string[]>> = {
  collections: ['Counter', 'defaultdict', 'OrderedDict', 'deque', 'namedtuple', 'ChainMap'],
  itertools: ['chain', 'combinations', 'permutations', 'product', 'groupby', 'islice', 'accumulate', 'zip_longest'],
  functools: ['reduce', 'partial', 'lru_cache', 'cmp_to_key'],
  datetime: ['timedelta', 'timezone', 'date'],
  statistics: ['mean', 'median', 'mode', 'stdev'],
  math: ['sqrt', 'ceil', 'floor', 'log', 'pi'],
  io: ['StringIO', 'BytesIO'],
  pathlib: ['Path'],
  decimal: ['Decimal'],
  fractions: ['Fraction'],
  dataclasses: ['dataclass', 'field', 'asdict'],
  typing: ['List', 'Dict', 'Any', 'Optional', 'Tuple', 'Set'],
  'concurrent.futures': ['ThreadPoolExecutor', 'as_completed'],
  difflib: ['SequenceMatcher', 'get_close_matches'],
  random: ['sample', 'shuffle', 'choice'],
};

/** Aliases of packages that are not there. */
const ALIASES: Readonly<Record<string, string>> = {
  pd: 'pandas',
  np: 'numpy',
  plt: 'matplotlib',
  requests: 'requests',
};

/** A name that was used without its import. Undefined for a name that no import would bind. */
export function missingImport(name: string, code: string): Note | undefined {
  const module = ALIASES[name];
  if (module !== undefined) return missingModule(module, code);
  const line = importOf(name, code);
  if (line === undefined) return undefined;
  const send = blockToSend(`${line}\n${code}`);
  return send === undefined ? { text: `Add the line: ${line}` } : { text: `Add: ${line}. Send exactly this`, send };
}

function importOf(name: string, code: string): string | undefined {
  if (name === 'datetime') {
    return /\bdatetime\.(?:datetime|date|timedelta)\b/.test(code) ? 'import datetime' : 'from datetime import datetime';
  }
  if (MODULES.includes(name)) return `import ${name}`;
  const from = Object.keys(FROM).find((module) => FROM[module]?.includes(name));
  return from === undefined ? undefined : `from ${from} import ${name}`;
}
