/**
 * Facts about the machine that the tests of this backend need.
 *
 * @module
 */
import { describe, test } from 'vitest';
import type { ReplCapabilities } from '../../../test/repl-conformance/index.ts';
import { messageOf } from '../../errors.ts';
import type { PythonBackendOptions } from './backend.ts';
import { provesFullIsolation } from './isolation.ts';
import { probePython } from './probe.ts';

/** The backend's abilities where it reaches full isolation. */
export const PYTHON_CAPABILITIES: ReplCapabilities = {
  least: 'namespace',
  threads: true,
  subprocess: true,
  snapshots: true,
  softInterrupt: true,
  bash: true,
  isolated: true,
  memoryLimit: true,
  diskLimit: true,
};

/** A way to run the backend, for tests that hold for each of them. */
export interface Machine {
  readonly name: string;
  readonly options: PythonBackendOptions;
}

/** A user and group without any rights. */
const NOBODY = 61_234;

/** Tests as the user who runs them. Skipped with a printed reason where there is no Python or no isolation. */
export async function describeWithPython(name: string, define: (machine: Machine) => void): Promise<void> {
  describeUnless(await whyNoPythonBackend(), name, () => define({ name, options: {} }));
}

/**
 * The same tests as a user without rights, where they are started by root: this test file's process becomes that user
 * and stays it. Every file of tests has a process of its own.
 */
export async function describeUnprivileged(name: string, define: (machine: Machine) => void): Promise<void> {
  const label = `${name}, as an unprivileged user`;
  describeUnless(becomeUnprivileged() ?? (await whyNoPythonBackend()), label, () =>
    define({ name: label, options: {} }),
  );
}

/** Makes this process an unprivileged user's, for good; gives the reason where that is not possible. */
export function becomeUnprivileged(): string | undefined {
  if (process.getuid?.() !== 0) return 'the tests run as an unprivileged user already';
  try {
    process.setgroups?.([]);
    process.setgid?.(NOBODY);
    process.setuid?.(NOBODY);
    process.chdir('/');
    return undefined;
  } catch (error) {
    return `this process cannot become another user (${messageOf(error)})`;
  }
}

/** Why the backend does not reach full isolation here; undefined where it does. */
export async function whyNoPythonBackend(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `this is ${process.platform}, and the python backend runs on Linux`;
  const probe = await probePython();
  if (!probe.available) return probe.reason;
  return provesFullIsolation(probe.isolation) ? undefined : `only the level ${probe.isolation.level} is reached here`;
}

function describeUnless(why: string | undefined, name: string, define: () => void): void {
  if (why === undefined) {
    describe(name, define);
    return;
  }
  console.warn(`The tests "${name}" are left out: ${why}.`);
  describe.skip(name, () => {
    test(`are left out: ${why}`, () => {});
  });
}
