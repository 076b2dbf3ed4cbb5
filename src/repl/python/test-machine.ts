/**
 * What the tests of this backend need to know of the machine they run on.
 *
 * @module
 */
import { describe, test } from 'vitest';
import type { ReplCapabilities } from '../../../test/repl-conformance/index.ts';
import { messageOf } from '../../errors.ts';
import { findInterpreter } from './interpreter.ts';
import type { BoxMode } from './zygote-process.ts';

/** What the backend can do where it reaches full isolation. */
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

/** How the tests of a group run. */
export interface Machine {
  readonly modes: readonly BoxMode[];
}

const reason = await whyNot();

async function whyNot(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `this is ${process.platform}, and the python backend runs on Linux`;
  try {
    await findInterpreter();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Tests that need a Python; skipped with a printed reason where there is none. */
export function describeWithPython(name: string, define: (machine: Machine) => void): void {
  if (reason === undefined) {
    describe(name, () => define({ modes: ['root', 'user'] }));
    return;
  }
  console.warn(`The tests "${name}" are left out: ${reason}`);
  describe.skip(name, () => {
    test('need a Python', () => {});
  });
}
