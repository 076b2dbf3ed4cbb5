/**
 * Where things are: Pyodide, just-bash, the guest's Python, the worker's code. Nothing is fetched.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { folderWith, incompletePackage, requireFrom } from '../../package-files.ts';
import { builtShell, installedShell } from './shell-library.ts';

/** A file of the guest package. */
export interface GuestFile {
  /** Path below the folder of packages, with slashes. */
  readonly path: string;
  readonly text: Buffer;
}

/** The files of the pyodide backend as installed here. */
export interface Installation {
  /** URL of Pyodide's folder, with a slash at the end. */
  readonly pyodideUrl: string;
  readonly pyodideVersion: string;
  /** URL of just-bash, see shell-library.ts. */
  readonly bashUrl: string;
  /** Folders the worker reads: Pyodide and just-bash. */
  readonly readable: readonly string[];
  readonly guestFiles: readonly GuestFile[];
  /** The worker's sources: TypeScript in a checkout, one module in the package. */
  readonly worker: { readonly folder: string; readonly entry: string };
  /** Digest of everything the base snapshot is made from, besides Node itself. */
  readonly digest: string;
}

let found: Installation | undefined;

/**
 * Looks once per process.
 *
 * @throws RlmError `repl-failure` when a part of the installation is missing
 */
export function findInstallation(): Installation {
  found ??= look();
  return found;
}

function look(): Installation {
  const manifest = pyodideManifest();
  const pyodide = realpathSync(dirname(manifest));
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const guestFiles = readGuest(guestRoot());
  const worker = findWorker();
  const shell = worker.entry.endsWith('.ts')
    ? installedShell()
    : builtShell(join(dirname(worker.folder), 'shell/just-bash.mjs'));
  const hash = createHash('sha256').update(version);
  for (const file of guestFiles) hash.update(`\0${file.path}\0`).update(file.text);
  for (const file of sourcesIn(worker.folder))
    hash.update(`\0${file}\0`).update(readFileSync(join(worker.folder, file)));
  return {
    pyodideUrl: `${pathToFileURL(pyodide).href}/`,
    pyodideVersion: version,
    bashUrl: shell.url,
    readable: [pyodide, ...shell.readable],
    guestFiles,
    worker,
    digest: hash.digest('hex').slice(0, 32),
  };
}

/** The worker's sources are beside this module; its built form is in `dist`. */
function findWorker(): Installation['worker'] {
  const path = 'repl/pyodide/worker';
  for (const entry of ['main.mjs', 'main.ts']) {
    const folder = folderWith(`${path}/${entry}`);
    if (folder !== undefined) return { folder: realpathSync(join(folder, path)), entry };
  }
  throw incompletePackage('dist/repl/pyodide/worker');
}

/** Files of the worker's code. */
export function sourcesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.(ts|mjs)$/.test(name) && !/\.(d|test)\.(ts|mts)$/.test(name))
    .sort();
}

function pyodideManifest(): string {
  try {
    return requireFrom().resolve('pyodide/package.json');
  } catch (error) {
    throw incompletePackage('the package pyodide', error);
  }
}

function guestRoot(): string {
  const folder = folderWith('guest/fathom_guest/__init__.py');
  if (folder === undefined) throw incompletePackage('guest/fathom_guest');
  return realpathSync(join(folder, 'guest'));
}

function readGuest(root: string): GuestFile[] {
  return ['fathom_guest', 'fathom_pyodide']
    .flatMap((name) => pythonFiles(join(root, name)))
    .map((file) => ({
      path: relative(root, file).split(sep).join('/'),
      text: readFileSync(file),
    }));
}

function pythonFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === '__pycache__' ? [] : pythonFiles(path);
      return entry.name.endsWith('.py') ? [path] : [];
    })
    .sort();
}
