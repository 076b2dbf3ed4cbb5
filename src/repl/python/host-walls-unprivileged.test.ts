/** The host's walls, for a user without rights. */
import { describeHostWalls } from './host-walls.testing.ts';
import { describeUnprivileged } from './testing.ts';

await describeUnprivileged('walls of the host', describeHostWalls);
