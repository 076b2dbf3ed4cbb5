/**
 * Where just-bash is. The package contains it as one built file, with everything that it imports; a checkout uses the
 * installed development dependency, whose bundle imports further packages.
 *
 * @module
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { folderWith, incompletePackage, requireFrom } from '../../package-files.ts';

const BUILT = 'dist/repl/pyodide/shell/just-bash.mjs';

/** just-bash, ready for `import()`. */
export interface ShellLibrary {
  readonly url: string;
  /** Folders that the import reads. */
  readonly readable: readonly string[];
}

/** just-bash of the package: `built` is its file. */
export function builtShell(built: string): ShellLibrary {
  return { url: pathToFileURL(built).href, readable: [dirname(built)] };
}

/** The first Node whose loader finds what `sprintf-js`, a CommonJS module that just-bash imports, exports by name. */
const FINDS_COMMONJS_NAMES = 24;

/**
 * just-bash of a checkout: its bundle for browsers, because that one has no Node parts beside `node:zlib`. On a Node that
 * cannot load it, the file that `npm run build` makes, which imports nothing.
 */
export function installedShell(): ShellLibrary {
  if (Number.parseInt(process.versions.node, 10) < FINDS_COMMONJS_NAMES) {
    const root = folderWith(BUILT);
    if (root === undefined)
      throw incompletePackage(`${BUILT}, which a checkout needs before Node ${FINDS_COMMONJS_NAMES}: npm run build`);
    return builtShell(join(root, BUILT));
  }
  const bundle = join(packageFolder(requireFrom().resolve('just-bash')), 'dist/bundle/browser.js');
  return { url: pathToFileURL(bundle).href, readable: importsOf(bundle) };
}

/** Folders of the packages that the bundle imports, with what those depend on. */
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
  throw new Error(`No package.json above ${file}`);
}
