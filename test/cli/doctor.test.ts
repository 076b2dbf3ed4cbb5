/** `fathom doctor` on the machine the tests run on: what it says must be what the engine then gets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findPython } from '../repl-conformance/plain-python.ts';
import { runFathom } from './run-fathom.ts';
import { Terminal } from './terminal.ts';

interface Report {
  readonly usable: boolean;
  readonly sections: readonly {
    title: string;
    findings: readonly { name: string; state: string; summary: string }[];
  }[];
}

test('it proves the embedded REPL, names keys without showing them, and ends with 0', async () => {
  const env = { OPENAI_API_KEY: 'sk-doctor-must-not-show-this' };
  const { code, stdout, stderr } = await runFathom(['doctor'], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/✓ pyodide +CPython 3\.\d+\.\d+ in WebAssembly .* isolation (process|namespace)/);
  expect(stdout).toContain('nothing of the host is reached');
  expect(stdout).toMatch(/✓ openai +key from OPENAI_API_KEY/);
  expect(stdout + stderr).not.toContain('sk-doctor');
});

test('the isolation it shows is the isolation a run has', async () => {
  const { stdout } = await runFathom(['doctor', '--json']);
  const report = JSON.parse(stdout) as Report;
  expect(report.usable).toBe(true);
  const shown = report.sections.flatMap(({ findings }) => findings).find(({ name }) => name === 'pyodide')?.summary;
  const script = join(mkdtempSync(join(tmpdir(), 'fathom-doctor-')), 'script.json');
  writeFileSync(script, '["FINAL(1)"]');
  const run = await runFathom(['ask', 'Q', '--json', '--repl', 'pyodide', '-m', `scripted:${script}`]);
  rmSync(dirname(script), { recursive: true });
  const { outcome, isolation } = JSON.parse(run.stdout) as { outcome: string; isolation: string };
  expect(outcome).toBe('converged');
  expect(shown).toContain(`isolation ${isolation}`);
});

const { path: python, reason } = findPython();
if (python === undefined) console.warn(`The test of doctor on a terminal is left out: ${reason}`);

test.skipIf(python === undefined)('on a terminal each section comes as soon as it is known', async () => {
  using terminal = new Terminal(['doctor'], { python: python ?? '', cwd: tmpdir() });
  for (const text of ['Machine', 'trying the embedded REPL', 'trying the native REPL', 'REPLs', 'Models'])
    await terminal.until(text);
  expect(await terminal.closed()).toBe(0);
});
