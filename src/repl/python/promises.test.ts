/** docs/isolation-python.md, kept. */
import { describePromises } from './promises.ts';
import { describeWithPython } from './test-machine.ts';

await describeWithPython('isolation', describePromises);
