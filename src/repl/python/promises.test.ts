/** docs/isolation-python.md, kept. */
import { describePromises } from './promises.testing.ts';
import { describeWithPython } from './testing.ts';

await describeWithPython('isolation', describePromises);
