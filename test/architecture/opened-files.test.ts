/** How much a reader opens to follow the simplest run there is. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../tools/opened-files.ts', import.meta.url));
const MOST_FILES = 16;

it('a plain FINAL calls functions in at most 16 files of run, completion and protocol', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', SCRIPT]);
  const files = stdout.split('\n').filter((line) => line.endsWith('.ts'));
  expect(stdout).toContain(`${files.length} files of run, completion, protocol for the answer x`);
  // The walk is the whole walk: it starts the run, asks, parses, and judges the answer.
  expect(files).toEqual(
    expect.arrayContaining(['completion/judge-answer.ts', 'protocol/parse-reply.ts', 'run/run-outcome.ts']),
  );
  expect(files.length, files.join('\n')).toBeLessThanOrEqual(MOST_FILES);
}, 60_000);
