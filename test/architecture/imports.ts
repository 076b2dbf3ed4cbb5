import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One import of a source file, of a value or a type. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url));
const TEST_CODE = /(?:\.test|\.testing|\/testing)\.ts$/;
/** `import … from '…'`, `export … from '…'`, `import '…'`, `import('…')`: types included. */
const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g;

/** The production sources, as paths below `src/`. */
export function sourceFiles(): readonly string[] {
  return globSync('**/*.ts', { cwd: SOURCES }).filter((file) => !TEST_CODE.test(`/${file}`));
}

/** The relative imports of a source text. */
export function importsOf(file: string, text: string = readFileSync(join(SOURCES, file), 'utf8')): readonly Import[] {
  return [...text.matchAll(SPECIFIER)].map(([, specifier = '']) => ({
    from: file,
    to: normalize(join(dirname(file), specifier)),
  }));
}

/** The folder a file belongs to; files beside the folders stand for themselves. */
export function folderOf(file: string): string {
  return file.split('/')[0] ?? file;
}

/** A cycle in the graph as the names along it, or `undefined`. */
export function cycleIn(graph: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): readonly string[] | undefined => {
    const at = path.indexOf(node);
    if (at >= 0) return [...path.slice(at), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next, [...path, node]);
      if (cycle !== undefined) return cycle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** The graph of imports between what `name` makes of files. */
export function graphOf(
  imports: readonly Import[],
  name: (file: string) => string,
): ReadonlyMap<string, ReadonlySet<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    if (name(from) === name(to)) continue;
    graph.set(name(from), (graph.get(name(from)) ?? new Set()).add(name(to)));
  }
  return graph;
}
