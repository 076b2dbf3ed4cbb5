import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { requireFrom } from '../../package-files.ts';

/** The line that installs DuckDB beside Fathom. */
export const INSTALL_DUCKDB = 'npm install @duckdb/node-api@1.5.6-r.1';

/** DuckDB's packages: each by its name, with its folder on this machine. */
export type DuckDbPackages = ReadonlyMap<string, string>;

/** The package that callers install. */
export const DUCKDB = '@duckdb/node-api';
const BINDINGS = '@duckdb/node-bindings';
/** Packages of binaries: the one for this machine is installed. */
const BINARIES = ['', '-musl'].map((libc) => `${BINDINGS}-${process.platform}-${process.arch}${libc}`);

/** Finds DuckDB, an optional peer dependency. Undefined where it is not installed for this machine. */
export function findDuckDb(require: NodeJS.Require = requireFrom()): DuckDbPackages | undefined {
  const library = folderOf(require, DUCKDB);
  if (library === undefined) return undefined;
  const bindings = folderOf(createRequire(join(library, 'package.json')), BINDINGS);
  if (bindings === undefined) return undefined;
  const within = createRequire(join(bindings, 'package.json'));
  const found = ['detect-libc', ...BINARIES].flatMap((name): readonly (readonly [string, string])[] => {
    const folder = folderOf(within, name);
    return folder === undefined ? [] : [[name, folder]];
  });
  return found.some(([name]) => BINARIES.includes(name))
    ? new Map([[DUCKDB, library], [BINDINGS, bindings], ...found])
    : undefined;
}

/** The folder of a package, by any file of it that can be resolved. */
function folderOf(require: NodeJS.Require, name: string): string | undefined {
  for (const file of [`${name}/package.json`, name, `${name}/duckdb.node`]) {
    try {
      const path = require.resolve(file);
      const parts = join(...name.split('/'));
      const at = path.lastIndexOf(sep + parts + sep);
      return at < 0 ? dirname(path) : path.slice(0, at + 1 + parts.length);
    } catch {
      // The package may hide this file: the next one is tried.
    }
  }
  return undefined;
}
