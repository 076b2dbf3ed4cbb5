/** docs/isolation-python.md, kept, in each box that this user can have. */
import { describePromises } from './promises.testing.ts';
import { describeWithPython } from './testing.ts';

await describeWithPython('isolation', (machine) => {
  describePromises(machine);
  // As root with CAP_SYS_ADMIN the box is another one than without.
  if (process.getuid?.() === 0) {
    describePromises({ name: 'isolation, as root without CAP_SYS_ADMIN', options: { modes: ['user'] } });
  }
});
