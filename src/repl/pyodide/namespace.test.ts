import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { findBubblewrap, type NamespaceForm, namespaceForms, wrapInNamespaces } from '../namespace.ts';
import { testBackend } from './testing.ts';

const bwrap = findBubblewrap();
const [strict] = bwrap === undefined ? [] : namespaceForms(bwrap);
const works = strict?.noUserNamespaces === true && run(strict, '/usr/bin/true') === 0;

/** Runs a program where a worker would be, without the filter of system calls: exit code. */
function run(form: NamespaceForm, ...command: readonly [string, ...string[]]): number | null {
  const [node, ...rest] = command;
  const { args } = wrapInNamespaces({
    ...form,
    wholeLibraries: true,
    bwrap: bwrap ?? '',
    node,
    readable: rest.filter(existsSync),
  });
  const seccomp = args.indexOf('--seccomp');
  const open = seccomp < 0 ? args : args.toSpliced(seccomp, 2);
  return spawnSync(bwrap ?? '', [...open, ...command]).status;
}

describe.skipIf(!works)('the namespaces of an embedded REPL (needs bubblewrap 0.8 and user namespaces)', () => {
  const backend = testBackend({ spares: 0 });
  afterAll(() => backend.close());

  test.each([
    ['a user namespace', ['-U']],
    ['one with a network', ['-U', '-n']],
    ['one with mounts', ['-U', '-m']],
    ['one with processes', ['-U', '-p', '-f']],
  ])('have no way to %s, also where the filter lets the call through', (_name, flags) => {
    const form = { wholeLibraries: true, noUserNamespaces: true };
    const command = ['/usr/bin/unshare', ...flags, '/usr/bin/true'] as const;
    expect(run({ ...form, noUserNamespaces: false }, ...command), 'the control failed').toBe(0);
    expect(run(form, ...command)).not.toBe(0);
  });

  test('are the strictest that start here', async () => {
    const { level, refused } = await backend.prove();
    expect({ level, refused }).toEqual({ level: 'namespace', refused: undefined });
  });
});

describe('a bubblewrap without the option', () => {
  test('is used without it', () => {
    expect(namespaceForms('/bin/true')).toEqual([
      { wholeLibraries: false, noUserNamespaces: false },
      { wholeLibraries: true, noUserNamespaces: false },
    ]);
  });
});
