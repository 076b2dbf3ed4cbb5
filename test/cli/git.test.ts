/** `-f git:REV`: a revision of the repository that the command runs in. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { ask, cell, folder, mock, playing } from './ask-harness.ts';

beforeAll(() => {
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@t', ...args], { cwd: folder, stdio: 'ignore' });
  git('init', '-q');
  writeFileSync(join(folder, '.env'), 'KEY=1');
  git('add', '-A');
  git('commit', '-qm', 'one');
  writeFileSync(join(folder, 'docs', 'a.txt'), 'changed');
  git('commit', '-qam', 'two');
});

const asked = (...sources: readonly string[]) => ask(['Q', '-m', 'openai/gpt-5-mini', '-f', ...sources]);

test('a revision is a list of documents, and the user sees its secrets left out', async () => {
  playing(cell('FINAL([(d.path, d.text) for d in context])'));
  const { code, stdout, stderr } = await asked('git:HEAD~1');
  expect({ code, stdout }).toEqual({ code: 0, stdout: '[["docs/a.txt", "alpha"], ["docs/b.txt", "beta beta"]]\n' });
  expect(stderr).toContain('! git:HEAD~1: left out: 1 secret (.env)');
});

test('two revisions are two documents, each with its files', async () => {
  playing(cell('FINAL(sorted((d.path, d.documents["docs/a.txt"].text) for d in context))'));
  const { stdout } = await asked('git:HEAD~1', 'git:HEAD');
  expect(stdout).toBe('[["git:HEAD", "changed"], ["git:HEAD~1", "alpha"]]\n');
});

test('a revision that is missing, and --encoding for a folder, are refused before anything is sent', async () => {
  const before = mock.calls.length;
  expect(await asked('git:nope')).toMatchObject({ code: 5, stderr: expect.stringContaining('no such revision') });
  const { code, stderr } = await asked('git:HEAD', '--encoding', 'latin1');
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--encoding is for files') });
  expect(mock.calls.length).toBe(before);
});
