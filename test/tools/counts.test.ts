/** The counts of a step of `npm test`, and what its closing lines say of failures. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fromExitCode, readRetried, readUnittestCounts, readVitestCounts } from '../../tools/counts.ts';

const ended = (exitCode: number | null, output = '') => ({ exitCode, signal: null, output });

function reported(...files: readonly object[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-counts-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'report.json');
  const numbers = { numPassedTests: 7, numFailedTests: 1, numPendingTests: 2, numTodoTests: 0 };
  writeFileSync(path, JSON.stringify({ ...numbers, testResults: files }));
  return path;
}

const file = (name: string, message: string, ...assertionResults: readonly object[]): object => ({
  name: join(process.cwd(), name),
  status: message === '' && assertionResults.length === 0 ? 'passed' : 'failed',
  message,
  assertionResults,
});

test('a failed test, and a file that failed outside of its tests, are named with the first line of their message', () => {
  const failed = { status: 'failed', fullName: 'a box holds', failureMessages: ['Error: it leaks\n    at box.ts:1'] };
  const path = reported(
    file('src/good.test.ts', ''),
    file('src/box.test.ts', '', failed, { status: 'passed', fullName: 'a box opens', failureMessages: [] }),
    file('src/broken.test.ts', 'SyntaxError: no\n  more'),
  );
  expect(readVitestCounts(path, ended(1))).toEqual({
    passed: 7,
    failed: 2,
    skipped: 2,
    failures: ['src/box.test.ts > a box holds: Error: it leaks', 'src/broken.test.ts: SyntaxError: no'],
  });
});

test('an exit code that no test explains is a failure, and so is a report that is not there', () => {
  expect(readVitestCounts(reported(file('src/good.test.ts', '')), ended(1)).failures).toEqual([
    'no test failed, and it ended with code 1',
  ]);
  const killed = readVitestCounts('/no/such/report', { exitCode: null, signal: 'SIGKILL', output: 'the last line\n' });
  expect(killed).toMatchObject({ passed: 0, failed: 1 });
  expect(killed.failures).toEqual(['vitest left no report', 'it was ended by SIGKILL', 'the last line']);
  expect(readVitestCounts('/no/such/report', ended(0)).failed).toBe(1);
});

test('another step shows its last lines, without colours', () => {
  expect(fromExitCode(ended(0, 'warned'))).toEqual({ passed: 1, failed: 0, skipped: 0, failures: [] });
  const output = Array.from({ length: 40 }, (_, line) => `\u001b[31mline ${line}\u001b[39m\n`).join('');
  const { failures } = fromExitCode(ended(2, output));
  expect([failures[0], failures.length, failures.at(-1)]).toEqual(['it ended with code 2', 13, 'line 39']);
});

test("Python's counts", () => {
  const output = 'FAIL: test_x\nRan 12 tests in 1.2s\n\nFAILED (failures=1, errors=2, skipped=3)\n';
  expect(readUnittestCounts(ended(1, output))).toMatchObject({ passed: 6, failed: 3, skipped: 3 });
  expect(readUnittestCounts(ended(0, 'Ran 12 tests in 1.2s\n\nOK\n'))).toMatchObject({ passed: 12, failed: 0 });
});

test('tests that passed when they were tried again are found', () => {
  const lines = [
    '   ✓ steady 12ms',
    '   \u001b[32m✓\u001b[39m shaky 1200ms\u001b[33m (retry x1)\u001b[39m',
    '   × red 9ms (retry x2)',
  ];
  expect(readRetried(lines.join('\n'))).toEqual(['✓ shaky 1200ms (retry x1)']);
});
