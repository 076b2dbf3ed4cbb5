/** The supervisor's watch over a REPL, for a user without rights. */
import { vi } from 'vitest';
import { describeUnprivileged } from './testing.ts';
import { describeWatch } from './watch.testing.ts';

vi.setConfig({ testTimeout: 90_000 }); // some wait for what takes pid 1 seconds by intent

await describeUnprivileged('what pid 1 watches', describeWatch);
