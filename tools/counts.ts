import { readFileSync } from 'node:fs';

/** The counts of a step. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A step that is one check. */
export function fromExitCode(exitCode: number): Counts {
  return exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** Counts of vitest's JSON report. A file that failed outside of its tests, and an exit code nothing explains, count one each. */
export function readVitestCounts(path: string, exitCode: number): Counts {
  let report: VitestReport;
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as VitestReport;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Counts of Python's unittest, from its last lines: `Ran 12 tests in …`, `FAILED (failures=1, errors=2, skipped=3)`. */
export function readUnittestCounts(exitCode: number, output: string): Counts {
  const ran = Number(/^Ran (\d+) tests?/m.exec(output)?.[1] ?? 0);
  const number = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(output)?.[1] ?? 0);
  const skipped = number('skipped');
  const failed = Math.max(
    number('failures') + number('errors') + number('unexpected successes'),
    exitCode === 0 ? 0 : 1,
  );
  return { passed: Math.max(0, ran - failed - skipped), failed, skipped };
}
