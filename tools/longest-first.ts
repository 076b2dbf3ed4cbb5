/**
 * The order of test files. Without measured durations, as on a fresh clone, vitest begins with the largest files, and a small
 * file that lasts a minute may run alone at the end.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that last longest, longest first. */
const LONGEST: readonly string[] = [
  'test/isolation/pyodide-attacks.test.ts',
  'src/repl/pyodide/conformance.test.ts',
  'test/resume/kill-loop.test.ts',
  'src/repl/python/watch.test.ts',
  'src/repl/python/conformance.test.ts',
  'test/field/newcomers.test.ts',
  'test/documents/large-files.test.ts',
  'test/documents/huge-file.test.ts',
  'test/repl-helpers/sql.test.ts',
  'test/repl-helpers/sql-files.test.ts',
  'src/repl/pyodide/life.test.ts',
  'test/cluster/children.test.ts',
  'test/cli/session.test.ts',
  'test/cli/options.test.ts',
  'test/cli/context.test.ts',
  'test/cli/runs.test.ts',
  'test/cli/ask.test.ts',
  'src/repl/python/watch-unprivileged.test.ts',
  'test/package/tarball.test.ts',
  'test/session/reopening.test.ts',
  'src/repl/pyodide/snapshots.test.ts',
  'src/repl/python/conformance-unprivileged.test.ts',
  'test/journal/kill-chains.test.ts',
  'test/mcp/long-runs.test.ts',
  'test/page/export.test.ts',
  'test/page/view.test.ts',
  'test/cli/chat.test.ts',
  'test/cli/inputs.test.ts',
  'test/session/closing.test.ts',
  'test/session/losses.test.ts',
  'test/page/follow.test.ts',
];

const missing = LONGEST.filter((path) => !existsSync(path));
if (missing.length > 0) throw new Error(`tools/longest-first.ts lists files that do not exist: ${missing.join(', ')}.`);

/** The listed files first, in their order; then all others in vitest's, and last those of pure code, which take a moment each. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification): number => {
      if (project.name === 'pure') return LONGEST.length + 1;
      const at = LONGEST.indexOf(relative(process.cwd(), moduleId));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
