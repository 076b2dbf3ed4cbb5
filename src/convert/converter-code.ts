import { dirname, join } from 'node:path';
import { folderWith, incompletePackage } from '../package-files.ts';

const BUILT = 'dist/convert/worker/main.mjs';
const SOURCE = 'src/convert/worker/main.ts';

/** The converter's program, and what its process may read. */
export interface ConverterCode {
  readonly script: string;
  readonly readable: readonly string[];
}

let found: ConverterCode | undefined;

/** In a checkout the sources, which import the parsers from `node_modules`; in the package one folder with everything. */
export function converterCode(): ConverterCode {
  found ??= import.meta.url.endsWith('.ts') ? inCheckout() : inPackage();
  return found;
}

function inCheckout(): ConverterCode {
  const root = folderWith(SOURCE);
  if (root === undefined) throw incompletePackage(SOURCE);
  const readable = ['src', 'node_modules', 'package.json'].map((part) => join(root, part));
  return { script: join(root, SOURCE), readable };
}

function inPackage(): ConverterCode {
  const root = folderWith(BUILT);
  if (root === undefined) throw incompletePackage(BUILT);
  return { script: join(root, BUILT), readable: [dirname(join(root, BUILT))] };
}
