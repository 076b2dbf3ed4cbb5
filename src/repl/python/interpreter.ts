import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, RlmError } from '../../errors.ts';

const run = promisify(execFile);

/** The oldest CPython that is served. */
const OLDEST = [3, 10] as const;
/** Names looked for on the PATH, in this order. */
const NAMES = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
/** Milliseconds an interpreter may take to say what it is: shims of version managers start shells. */
const PATIENCE_MS = 15_000;
/** Packages worth naming to the model when they are installed. */
const PACKAGES = ['numpy', 'pandas', 'scipy', 'scikit-learn', 'polars', 'pyarrow', 'networkx', 'sympy', 'lxml', 'beautifulsoup4', 'regex', 'openpyxl', 'pypdf', 'matplotlib', 'pillow', 'tiktoken', 'nltk', 'spacy']; // biome-ignore format: a list

/** A Python that can run REPLs. */
export interface Interpreter {
  /** The program itself, never a shim of a version manager. */
  readonly executable: string;
  /** e.g. `3.11.7`. */
  readonly version: string;
  /** Folders it needs: its prefixes and installed packages. Cells can read them. */
  readonly folders: readonly string[];
  /** Installed packages worth naming, e.g. `numpy 2.1.0`. */
  readonly packages: readonly string[];
}

/** Asks the interpreter about itself. Isolated (-I): neither the environment nor the working folder has a say. */
const QUESTION = `
import json, platform, sys, importlib.metadata as m
def version(name):
    try: return name + " " + m.version(name)
    except Exception: return None
print(json.dumps({
    "executable": sys.executable, "version": platform.python_version(), "numbers": list(sys.version_info[:2]),
    "implementation": sys.implementation.name, "wide": sys.maxsize > 2**32,
    "prefixes": [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix], "path": sys.path,
    "packages": [found for found in map(version, json.loads(sys.argv[1])) if found],
}))
`;

interface Description {
  readonly executable: string;
  readonly version: string;
  readonly numbers: readonly [number, number];
  readonly implementation: string;
  readonly wide: boolean;
  readonly prefixes: readonly string[];
  readonly path: readonly string[];
  readonly packages: readonly string[];
}

const found = new Map<string, Promise<Interpreter>>();

/**
 * The interpreter at `python`, or else the first fit one on the PATH. Looked for once per process.
 *
 * @throws RlmError `repl-failure` when there is none, naming what was looked at and why it does not do
 */
export function findInterpreter(python?: string, path: string = process.env.PATH ?? ''): Promise<Interpreter> {
  const key = `${python ?? ''}\0${path}`;
  let search = found.get(key);
  if (search === undefined) {
    search = look(python, path);
    // A failure is not kept: a person may install Python while we run.
    search.catch(() => found.delete(key));
    found.set(key, search);
  }
  return search;
}

async function look(python: string | undefined, path: string): Promise<Interpreter> {
  const looked: string[] = [];
  for await (const candidate of candidates(python, path)) {
    try {
      const description = await describe(candidate);
      const unfit = whyUnfit(description);
      if (unfit === undefined) return toInterpreter(description);
      looked.push(`${candidate} (${unfit})`);
    } catch (error) {
      looked.push(`${candidate} (${messageOf(error).split('\n')[0]})`);
    }
  }
  const where = looked.length === 0 ? 'there is no python3 on the PATH' : `looked at ${looked.join(', ')}`;
  throw new RlmError({
    code: 'repl-failure',
    message: `No CPython ${OLDEST.join('.')} or later was found: ${where}. Install one, or use repl: 'pyodide'.`,
    userAction: true,
    data: { looked },
  });
}

async function* candidates(python: string | undefined, path: string): AsyncGenerator<string> {
  if (python !== undefined && (isAbsolute(python) || python.includes('/'))) {
    yield python;
    return;
  }
  for (const name of python === undefined ? NAMES : [python]) {
    for (const folder of path.split(delimiter)) {
      if (!isAbsolute(folder)) continue; // never from the working folder
      const file = join(folder, name);
      try {
        await access(file, constants.X_OK);
        yield file;
      } catch {
        // not here
      }
    }
  }
}

async function describe(executable: string): Promise<Description> {
  const { stdout } = await run(executable, ['-I', '-c', QUESTION, JSON.stringify(PACKAGES)], {
    timeout: PATIENCE_MS,
    cwd: '/',
    maxBuffer: 1024 * 1024,
  });
  return JSON.parse(stdout) as Description;
}

function whyUnfit(it: Description): string | undefined {
  const [major, minor] = it.numbers;
  if (it.implementation !== 'cpython') return `${it.implementation} ${it.version}, not CPython`;
  if (major !== OLDEST[0] || minor < OLDEST[1]) return `version ${it.version}`;
  if (!it.wide) return 'a 32-bit build';
  return undefined;
}

function toInterpreter(it: Description): Interpreter {
  const folders = [...new Set([...it.prefixes.flatMap(needed), ...it.path.filter(isLibrary)])].filter(isAbsolute);
  return { executable: it.executable, version: it.version, folders, packages: it.packages };
}

/** The parts of a prefix that Python needs: all of it, or its libraries only where people keep other things in it as well. */
function needed(prefix: string): readonly string[] {
  const shared = `${homedir()}/`.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
  return shared ? ['bin', 'lib', 'lib64', 'pyvenv.cfg'].map((name) => join(prefix, name)) : [prefix];
}

/** Folders of installed packages. Projects on the path (editable installs) are not shown to cells. */
function isLibrary(folder: string): boolean {
  return /\/(site|dist)-packages$/.test(folder);
}
