/** What pid 1 of a REPL watches, for a user without rights. */
import { describeUnprivileged } from './testing.ts';
import { describeWatch } from './watch.testing.ts';

await describeUnprivileged('what pid 1 watches', describeWatch);
