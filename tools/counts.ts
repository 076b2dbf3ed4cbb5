import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** The counts of a step. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Each failure in a line of its own: the test, and the first line of its message. */
  readonly failures: readonly string[];
}

/** How a step ended. */
export interface StepEnd {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** Lines of a failed step's output that are shown again. */
const LAST_LINES = 12;

/** A step that is one check. Its last lines say what failed. */
export function fromExitCode({ exitCode, signal, output }: StepEnd): Counts {
  if (exitCode === 0) return { passed: 1, failed: 0, skipped: 0, failures: [] };
  const lines = stripVTControlCharacters(output).trimEnd().split('\n').slice(-LAST_LINES);
  return { passed: 0, failed: 1, skipped: 0, failures: [howItEnded(exitCode, signal), ...lines] };
}

function howItEnded(exitCode: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `it ended with code ${exitCode}` : `it was ended by ${signal}`;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Counts of vitest's JSON report. A file that failed outside of its tests, and an exit code nothing explains, count one each. */
export function readVitestCounts(path: string, end: StepEnd): Counts {
  let report: VitestReport;
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as VitestReport;
  } catch {
    const { failures } = fromExitCode({ ...end, exitCode: end.exitCode || 1 });
    return { passed: 0, failed: 1, skipped: 0, failures: ['vitest left no report', ...failures] };
  }
  const failures = report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const tests = assertionResults.filter((test) => test.status === 'failed');
    const file = relative(process.cwd(), name);
    if (status === 'failed' && tests.length === 0) return [`${file}: ${firstLine(message)}`];
    return tests.map(({ fullName, failureMessages }) => `${file} > ${fullName}: ${firstLine(failureMessages[0])}`);
  });
  if (failures.length === 0 && end.exitCode !== 0) {
    // An error outside of all tests, for example: vitest has described it in its output.
    failures.push(`no test failed, and ${howItEnded(end.exitCode, end.signal)}`);
  }
  const skipped = report.numPendingTests + report.numTodoTests;
  return { passed: report.numPassedTests, failed: failures.length, skipped, failures };
}

function firstLine(message = ''): string {
  return stripVTControlCharacters(message).trim().split('\n')[0] ?? '';
}

/** Tests that failed and then passed when they were tried again, by the lines of vitest's default reporter. */
export function readRetried(output: string): readonly string[] {
  return stripVTControlCharacters(output)
    .split('\n')
    .flatMap((line) => (/^\s*✓.*\(retry x\d+\)/.test(line) ? [line.trim()] : []));
}

/** Counts of Python's unittest, from its last lines: `Ran 12 tests in …`, `FAILED (failures=1, errors=2, skipped=3)`. */
export function readUnittestCounts(end: StepEnd): Counts {
  const { exitCode, output } = end;
  const ran = Number(/^Ran (\d+) tests?/m.exec(output)?.[1] ?? 0);
  const number = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(output)?.[1] ?? 0);
  const skipped = number('skipped');
  const failed = Math.max(
    number('failures') + number('errors') + number('unexpected successes'),
    exitCode === 0 ? 0 : 1,
  );
  const failures = exitCode === 0 ? [] : fromExitCode(end).failures;
  return { passed: Math.max(0, ran - failed - skipped), failed, skipped, failures };
}
