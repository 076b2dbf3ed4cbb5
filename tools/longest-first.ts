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
  'test/repl-conformance/plain-python.test.ts',
  'src/repl/python/watch.test.ts',
  'src/repl/python/conformance.test.ts',
  'src/repl/python/conformance-unprivileged.test.ts',
  'test/session/reopening.test.ts',
  'test/resume/kill-loop.test.ts',
  'src/repl/python/lifetime.test.ts',
  'src/repl/pyodide/life.test.ts',
  'src/repl/pyodide/snapshots.test.ts',
  'test/package/tarball.test.ts',
  'src/repl/python/watch-unprivileged.test.ts',
  'test/engine/engine.test.ts',
  'test/engine/prompt-claims.test.ts',
  'test/mcp/long-runs.test.ts',
  'test/cli/ask.test.ts',
  'test/cli/inputs.test.ts',
  'test/field/newcomers.test.ts',
  'test/repl-helpers/sql.test.ts',
  'test/repl-helpers/sql-files.test.ts',
];

const missing = LONGEST.filter((path) => !existsSync(path));
if (missing.length > 0) throw new Error(`tools/longest-first.ts lists files that do not exist: ${missing.join(', ')}.`);

/** The listed files first, in their order; then all others in vitest's. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.indexOf(relative(process.cwd(), moduleId));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
