/** docs/isolation-python.md, kept for a user without rights. */
import { describePromises } from './promises.testing.ts';
import { describeUnprivileged } from './testing.ts';

await describeUnprivileged('isolation', describePromises);
