/**
 * Where things are: Pyodide, just-bash, the guest's Python, the child's code. Nothing is fetched.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { RlmError } from '../../errors.ts';

/** A file of the guest package. */
export interface GuestFile {
  /** Path below the folder of packages, with slashes. */
  readonly path: string;
  readonly text: Buffer;
}

/** What is installed here. */
export interface Installation {
  /** URL of Pyodide's folder, with a slash at the end. */
  readonly pyodideUrl: string;
  readonly pyodideVersion: string;
  /** URL of just-bash's bundle without Node parts. */
  readonly bashUrl: string;
  /** Folders the child reads: Pyodide, just-bash and what that imports. */
  readonly readable: readonly string[];
  readonly guestFiles: readonly GuestFile[];
  /** The child's sources: TypeScript in a checkout, one module in the package. */
  readonly child: { readonly folder: string; readonly entry: string };
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
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('pyodide/package.json');
  const pyodide = realpathSync(dirname(manifest));
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const bash = realpathSync(join(packageFolder(require.resolve('just-bash')), 'dist/bundle/browser.js'));
  const guestFiles = readGuest(findAbove('guest/fathom_guest/__init__.py'));
  const child = findChild();
  const hash = createHash('sha256').update(version);
  for (const file of guestFiles) hash.update(`\0${file.path}\0`).update(file.text);
  for (const file of sourcesIn(child.folder)) hash.update(`\0${file}\0`).update(readFileSync(join(child.folder, file)));
  return {
    pyodideUrl: `${pathToFileURL(pyodide).href}/`,
    pyodideVersion: version,
    bashUrl: pathToFileURL(bash).href,
    readable: [pyodide, ...importsOf(bash)],
    guestFiles,
    child,
    digest: hash.digest('hex').slice(0, 32),
  };
}

/** Folders of the packages that just-bash's bundle imports, with what those depend on. */
function importsOf(bundle: string): string[] {
  const folders = new Set<string>([packageFolder(bundle)]);
  const visit = (name: string, from: string): void => {
    const folder = installedFolder(name, from);
    if (folder === undefined || folders.has(folder)) return;
    folders.add(folder);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { dependencies?: object };
    for (const dependency of Object.keys(manifest.dependencies ?? {})) visit(dependency, folder);
  };
  const text = readFileSync(bundle, 'utf8');
  for (const [, name] of text.matchAll(/\bfrom"([a-z@][^":]*)"/g)) if (name !== undefined) visit(name, dirname(bundle));
  return [...folders];
}

/** Where a package is, as Node looks for it; undefined for built-in modules. */
function installedFolder(name: string, from: string): string | undefined {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
  }
  return undefined;
}

/** The nearest folder above a file that has a package.json with a name. */
function packageFolder(file: string): string {
  for (let folder = dirname(realpathSync(file)); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && 'name' in (JSON.parse(readFileSync(manifest, 'utf8')) as object)) return folder;
  }
  throw missing(`the package of ${file}`);
}

/** A path below one of the folders above this module: the checkout's root or the package's. */
function findAbove(path: string): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, path))) return realpathSync(join(folder, path));
  }
  throw missing(path);
}

function findChild(): Installation['child'] {
  const here = dirname(fileURLToPath(import.meta.url));
  const source = join(here, 'child/main.ts');
  if (existsSync(source)) return { folder: dirname(source), entry: 'main.ts' };
  const built = findAbove('repl/pyodide/child/main.mjs');
  return { folder: dirname(built), entry: 'main.mjs' };
}

/** Files of the child's code. */
export function sourcesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.(ts|mjs)$/.test(name) && !/\.(d|test)\.(ts|mts)$/.test(name))
    .sort();
}

function readGuest(init: string): GuestFile[] {
  const root = dirname(dirname(init));
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

function missing(what: string): RlmError {
  return new RlmError({
    code: 'repl-failure',
    message: `The pyodide REPL cannot start: ${what} is missing. Install the package again.`,
    userAction: true,
  });
}
