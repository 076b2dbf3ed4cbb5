/** docs/isolation-python.md, kept for a user without rights. */
import { describePromises } from './promises.ts';
import { describeUnprivileged } from './test-machine.ts';

await describeUnprivileged('isolation', describePromises);
