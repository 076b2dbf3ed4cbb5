import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findInterpreter } from './interpreter.ts';
import { probePython } from './probe.ts';

const folder = mkdtempSync(join(tmpdir(), 'fathom-python-'));
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const answer = (more: object): string =>
  JSON.stringify({
    executable: '/opt/real/bin/python3',
    version: '3.12.1',
    numbers: [3, 12],
    implementation: 'cpython',
    wide: true,
    prefixes: ['/opt/real', '/opt/real', '/', homedir()],
    path: ['', 'relative/site-packages', '/opt/real/lib/python3.12', '/opt/more/site-packages', '/home/me/project'],
    packages: ['numpy 2.1.0'],
    ...more,
  });

test('gives the interpreter behind a shim, and folders of Python only: no home, no project', async () => {
  program('python3', `echo '${answer({})}'`);
  expect(await findInterpreter(undefined, folder)).toEqual({
    executable: '/opt/real/bin/python3',
    version: '3.12.1',
    folders: [
      '/opt/real',
      ...['/', homedir()].flatMap((at) => ['bin', 'lib', 'lib64', 'pyvenv.cfg'].map((name) => join(at, name))),
      '/opt/more/site-packages',
    ],
    packages: ['numpy 2.1.0'],
  });
});

test.each([
  ['old', { version: '3.9.2', numbers: [3, 9] }, 'version 3.9.2'],
  ['two', { version: '2.7.18', numbers: [2, 7] }, 'version 2.7.18'],
  ['pypy', { implementation: 'pypy' }, 'not CPython'],
  ['narrow', { wide: false }, '32-bit'],
])('refuses a Python that does not do, in words: %s', async (name, more, why) => {
  const path = program(`python-${name}`, `echo '${answer(more)}'`);
  await expect(findInterpreter(path)).rejects.toMatchObject({ code: 'repl-failure', userAction: true });
  await expect(findInterpreter(path)).rejects.toThrow(why);
});

test('tries the next one when the first is not suitable or does not run', async () => {
  const other = mkdtempSync(join(folder, 'other-'));
  writeFileSync(join(other, 'python3'), '#!/bin/sh\nexit 7\n');
  chmodSync(join(other, 'python3'), 0o755);
  program('python3', `echo '${answer({ version: '3.13.0' })}'`);
  expect((await findInterpreter(undefined, `${other}:${folder}`)).version).toBe('3.13.0');
});

test('never takes a program from the working folder', async () => {
  await expect(findInterpreter(undefined, '.:relative/bin:')).rejects.toThrow('there is no python3 on the PATH');
});

test('without a Python the probe says so and throws nothing', async () => {
  const probe = await probePython({ python: join(folder, 'nothing-here') });
  expect(probe).toMatchObject({ available: false, reason: expect.stringContaining("repl: 'pyodide'") });
});
