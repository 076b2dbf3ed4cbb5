/**
 * A run whose children are on workers, while workers, the process that asks, Redis and Postgres are killed, stopped, slow or cut off:
 * the undisturbed answer, and everything else than possibly billed calls paid once, by the mock's own account. `CLUSTER_ROUNDS` is the
 * number of rounds, `CLUSTER_FIRST` the number of the first; `node test/cluster/play-rounds.ts` plays them without vitest.
 *
 * @module
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { NO_REDIS } from '../servers/redis-server.ts';
import { LEFT_OUT, planOf, ROUND_MS, Rounds } from './rounds.ts';

if (NO_REDIS !== undefined) console.warn(`The rounds over workers are skipped: ${NO_REDIS}`);
for (const why of LEFT_OUT) console.warn(`Some rounds over workers are left out: ${why}`);

const ROUNDS = Number(process.env.CLUSTER_ROUNDS ?? 5);
const FIRST = Number(process.env.CLUSTER_FIRST ?? 0);

describe.skipIf(NO_REDIS !== undefined)('a run over workers that is disturbed', () => {
  let rounds: Rounds | undefined;
  beforeAll(async () => {
    rounds = await Rounds.open();
  }, 120_000);
  afterAll(() => rounds?.close());

  it.each(Array.from({ length: ROUNDS }, (_, index) => planOf(FIRST + index)))(
    'round $number: $fault.name, after $after calls of children',
    async (round) => await rounds?.play(round),
    2 * ROUND_MS,
  );
});
