import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TestSwitches } from '../../src/repl/pyodide/pool.ts';
import {
  attacksIn,
  type Evidence,
  type Field,
  makeTarget,
  openField,
  runNatively,
  secretInput,
  type Target,
} from './attack-bench.ts';

// An attack and its control, each with a REPL that may have to boot again: seconds, and on a busy machine ten times that.
vi.setConfig({ testTimeout: 120_000 });

/** Attacks on one wall. */
interface Family {
  readonly file: string;
  readonly evidence: Evidence;
  /** How the wall is opened for the control. */
  readonly opened: (target: Target) => TestSwitches;
  /** The control's attacks leave JavaScript objects in Python, which no rollback can follow. */
  readonly goesOn?: boolean;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  'the import gate': {
    file: 'gate.py',
    goesOn: true,
    evidence: 'secret',
    opened: ({ secret }) => ({
      open: ['gate', 'finders', 'harden'],
      withoutPermission: true,
      env: { FATHOM_SECRET: secret },
    }),
  },
  'the function table': {
    file: 'table.py',
    evidence: 'printed',
    opened: () => ({ open: ['table', 'harden'] }),
  },
  'the file system': {
    file: 'files.py',
    evidence: 'secret',
    opened: ({ facts }) => ({ open: ['host-folder'], hostFolder: String(facts.folder), withoutPermission: true }),
  },
  'the channel': { file: 'device.py', evidence: 'forged', opened: () => ({ open: ['device'] }) },
  'the cap on frames': { file: 'frame_cap.py', evidence: 'received', opened: () => ({ open: ['frame-cap'] }) },
  terminals: {
    file: 'tty.py',
    evidence: 'secret',
    opened: (target) => ({ open: ['tty', 'harden'], withoutPermission: true, stdin: secretInput(target) }),
  },
  'names of the machine': { file: 'names.py', evidence: 'secret', opened: () => ({ open: ['finders', 'gate'] }) },
};

/** Attacks that fill the memory of the REPL. They come last: it never shrinks, and each rollback compares all of it. */
const FILLING: Readonly<Record<string, Family>> = {
  'the quota on files': { file: 'limits.py', evidence: 'secret', opened: () => ({ open: ['quota'] }) },
  'the cap on memory': { file: 'memory.py', evidence: 'secret', opened: () => ({ open: ['memory-cap'] }) },
};

let target: Target;
/** The REPL as it is. Every attack begins in it as it was opened. */
let field: Field;
beforeAll(async () => {
  target = await makeTarget();
  field = await openField(target);
});
afterAll(async () => {
  await field?.close();
  target?.close();
});

function describeFamily([wall, family]: readonly [string, Family]): void {
  describe(wall, () => {
    let control: Field;
    beforeAll(async () => {
      control = await openField(target, family.opened(target));
    });
    afterAll(async () => await control?.close());

    test.each(attacksIn(family.file))('holds against: $name', async (attack) => {
      expect(await field.run(attack, family.evidence), field.last).toBe(false);
      const runs = family.goesOn ? control.runAll([attack], family.evidence) : control.run(attack, family.evidence);
      expect(await runs, `the control failed: ${control.last}`).toBe(true);
    });
  });
}

Object.entries(FAMILIES).forEach(describeFamily);

describe('the mirror of the function table', () => {
  // emscripten calls signal handlers through a copy of the table: emptying the table alone does not suffice.
  test('holds no JavaScript either', async () => {
    const control = await openField(target, { open: ['mirror', 'harden'] });
    const attacks = attacksIn('table.py').filter(({ name }) => name.startsWith('signal handler'));
    for (const attack of attacks) {
      expect(await field.run(attack, 'printed'), field.last).toBe(false);
      expect(await control.run(attack, 'printed'), control.last).toBe(true);
    }
    await control.close();
  });
});

describe('a heap that was hostile before it was carried over', () => {
  test('runs no code before the gate is locked', async () => {
    const carrier = await openField(target);
    const control = await openField(target, { open: ['heap-first', 'harden'] });
    const attacks = attacksIn('heap.py');
    expect(await carrier.runAll(attacks, 'secret'), carrier.last).toBe(false);
    expect(await control.runAll(attacks, 'secret'), control.last).toBe(true);
    await Promise.all([carrier.close(), control.close()]);
  });
});

describe('a denied import', () => {
  test('ends the process', async () => {
    const control = await openField(target, { open: ['denied-death'] });
    const attack = { name: 'abort', code: 'crash()' };
    expect(await field.run(attack, 'survived'), field.last).toBe(false);
    expect(await control.run(attack, 'survived'), control.last).toBe(true);
    await control.close();
  });
});

describe('what is outside of the interpreter', () => {
  // There is no such thing in WebAssembly to open: the control is Python without any sandbox.
  test.each(attacksIn('outside.py'))('is out of reach: $name', async (attack) => {
    expect(await field.run(attack, 'secret'), field.last).toBe(false);
    expect(await runNatively(target, attack), 'the control failed').toBe(true);
  });
});

Object.entries(FILLING).forEach(describeFamily);
