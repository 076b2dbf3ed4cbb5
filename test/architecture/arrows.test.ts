/** Which folder of `src/` may import which, types included. docs/architecture.md has the same arrows as a diagram. */
import { describe, expect, it } from 'vitest';
import { cycleIn, folderOf, graphOf, type Import, importsOf, sourceFiles } from './imports.ts';

/** Files beside the folders that every folder may use: they import nothing but each other. */
const LEAVES: readonly string[] = [
  'argument-checks.ts',
  'clock.ts',
  'code-points.ts',
  'defined.ts',
  'error-table.ts',
  'errors.ts',
  'json-digits.ts',
  'json-text.ts',
  'limits.ts',
  'map-bounded.ts',
  'option-names.ts',
  'package-files.ts',
  'regular-file.ts',
  'similar.ts',
  'text-encoding.ts',
  'time-slices.ts',
  'tool-output.ts',
];

/** From the bottom to the top. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  repl: [],
  protocol: ['repl'],
  convert: ['repl'],
  context: ['convert', 'event', 'repl'],
  prompt: ['context', 'protocol', 'repl'],
  model: [],
  ledger: ['model'],
  'trajectory.ts': ['protocol'],
  event: ['trajectory.ts'],
  store: ['event', 'repl'],
  journal: ['model', 'store'],
  schema: ['protocol', 'repl'],
  tools: ['repl', 'schema'],
  admission: [],
  evidence: ['context', 'event', 'repl', 'schema'],
  compact: ['model'],
  engine: [
    ...['admission', 'context', 'event', 'evidence', 'journal', 'ledger', 'model', 'prompt', 'repl', 'schema'],
    ...['store', 'tools'],
    'trajectory.ts',
  ],
  subcall: [
    ...['context', 'engine', 'event', 'journal', 'ledger', 'model', 'protocol', 'repl', 'schema', 'tools'],
    'trajectory.ts',
  ],
  completion: [
    ...['compact', 'context', 'engine', 'event', 'journal', 'ledger', 'model', 'prompt', 'protocol', 'repl', 'subcall'],
    'trajectory.ts',
  ],
  run: [
    ...[
      'admission',
      'compact',
      'completion',
      'context',
      'engine',
      'event',
      'evidence',
      'journal',
      'ledger',
      'model',
      'prompt',
    ],
    ...['protocol', 'repl'],
    ...['schema', 'store', 'subcall', 'tools'],
  ],
  resume: ['context', 'engine', 'event', 'journal', 'model', 'repl', 'schema', 'store'],
  view: ['event', 'resume', 'store'],
  session: [
    ...['admission', 'context', 'engine', 'event', 'journal', 'ledger', 'model', 'prompt', 'repl', 'resume', 'run'],
    ...['schema', 'store', 'subcall', 'tools'],
  ],
  'rlm-options.ts': ['engine', 'event', 'model', 'prompt', 'repl', 'store', 'tools'],
  'check-rlm-options.ts': ['model', 'repl', 'rlm-options.ts'],
  'create-engine.ts': [
    ...['admission', 'engine', 'event', 'model', 'repl', 'resume', 'run', 'store', 'tools', 'rlm-options.ts'],
  ],
  'submit-run.ts': ['engine', 'event', 'model', 'resume', 'run', 'store'],
  'rlm.ts': [
    ...['admission', 'repl', 'resume', 'run', 'session', 'submit-run.ts'],
    ...['check-rlm-options.ts', 'create-engine.ts', 'rlm-options.ts'],
  ],
  cluster: [
    ...[
      'admission',
      'context',
      'engine',
      'event',
      'journal',
      'ledger',
      'model',
      'prompt',
      'repl',
      'resume',
      'run',
      'store',
      'subcall',
    ],
    ...['resume', 'tools', 'create-engine.ts', 'rlm-options.ts', 'rlm.ts'],
  ],
  'index.ts': [
    ...['context', 'engine', 'event', 'evidence', 'ledger', 'model', 'prompt', 'protocol', 'repl', 'run', 'schema'],
    ...['resume', 'session'],
    ...['store', 'submit-run.ts', 'tools', 'rlm-options.ts', 'rlm.ts', 'trajectory.ts'],
  ],
  policy: ['engine', 'protocol'],
  door: ['context', 'engine', 'event', 'model', 'repl', 'run', 'store'],
  guard: ['compact', 'event', 'model', 'rlm.ts'],
  'ai-sdk': ['context', 'door', 'engine', 'event', 'ledger', 'rlm.ts', 'run', 'schema'],
  server: [
    ...['context', 'door', 'engine', 'event', 'model', 'resume', 'run', 'schema', 'session', 'store', 'view', 'rlm.ts'],
  ],
  mcp: ['context', 'door', 'engine', 'event', 'model', 'repl', 'run', 'server', 'session', 'store', 'rlm.ts'],
  'test-doubles': ['model'],
  'test.ts': ['model', 'test-doubles'],
  cli: [
    ...[
      'convert',
      'context',
      'engine',
      'event',
      'model',
      'protocol',
      'repl',
      'resume',
      'run',
      'schema',
      'server',
      'session',
      'store',
      'view',
      'mcp',
    ],
    ...['check-rlm-options.ts', 'cluster', 'rlm-options.ts', 'rlm.ts'],
  ],
};

const FILES = sourceFiles();
const IMPORTS = FILES.flatMap((file) => importsOf(file));

function forbidden(imports: readonly Import[]): readonly string[] {
  const problems = imports.filter(({ from, to }) => {
    const [source, target] = [folderOf(from), folderOf(to)];
    return source !== target && !LEAVES.includes(target) && ALLOWED[source]?.includes(target) !== true;
  });
  return problems.map(({ from, to }) => `${from} imports ${to}`);
}

describe('imports between the folders of src/', () => {
  it('are found in every form, types and re-exports included', () => {
    const text = [
      "import type { Run } from '../engine/run.ts';",
      "export type * from './a.ts';",
      "import './b.ts';",
      "const { c } = await import('../cli/c.ts');",
      "import { x } from 'undici';",
    ].join('\n');
    expect(importsOf('store/port.ts', text).map(({ to }) => to)).toEqual([
      ...['engine/run.ts', 'store/a.ts', 'store/b.ts', 'cli/c.ts'],
    ]);
    expect(forbidden(importsOf('store/port.ts', text))).toEqual([
      ...['store/port.ts imports engine/run.ts', 'store/port.ts imports cli/c.ts'],
    ]);
  });

  it('are those of the table', () => {
    expect(FILES.length).toBeGreaterThan(200);
    expect(forbidden(IMPORTS)).toEqual([]);
  });

  it('are all used: the table allows nothing that no file needs', () => {
    const graph = graphOf(IMPORTS, folderOf);
    const unused = Object.entries(ALLOWED).flatMap(([from, targets]) =>
      targets.filter((to) => graph.get(from)?.has(to) !== true).map((to) => `${from} → ${to}`),
    );
    expect(unused).toEqual([]);
  });

  it('make no cycle, neither of folders nor of files', () => {
    expect(
      cycleIn(
        new Map([
          ['a', new Set(['b'])],
          ['b', new Set(['c'])],
          ['c', new Set(['b'])],
        ]),
      ),
    ).toEqual([...['b', 'c', 'b']]);
    expect(cycleIn(graphOf(IMPORTS, folderOf))).toBeUndefined();
    expect(cycleIn(graphOf(IMPORTS, (file) => file))).toBeUndefined();
  });

  it('leave the leaves alone', () => {
    const targets = IMPORTS.filter(({ from }) => LEAVES.includes(from)).map(({ to }) => to);
    expect(targets.filter((to) => !LEAVES.includes(to))).toEqual([]);
  });
});
