/** The supervisor's watch over a REPL, in each box that this user can have. */
import { describe, vi } from 'vitest';
import { describeWithPython } from './testing.ts';
import { describeWatch } from './watch.testing.ts';

vi.setConfig({ testTimeout: 90_000 }); // some wait for what takes pid 1 seconds by intent

await describeWithPython('what pid 1 watches', (machine) => {
  describeWatch(machine);
  // As root with CAP_SYS_ADMIN the box is another one than without.
  if (process.getuid?.() === 0) {
    describe('in the box of root without CAP_SYS_ADMIN', () =>
      describeWatch({ ...machine, options: { modes: ['user'] } }));
  }
});
