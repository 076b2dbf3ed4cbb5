/**
 * A limit on money of a run over four workers that are killed at random, the process that asks as well: by the provider's own account it
 * is never exceeded. `CLUSTER_BUDGETS` is the number of runs.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookUpModel } from '../../src/model/prices.ts';
import { seeded } from '../../src/model/rate/simulation.testing.ts';
import type { MockCall } from '../mock-provider/index.ts';
import { isOfChild } from '../resume/kill-script.ts';
import { NO_POSTGRES } from '../servers/postgres-server.ts';
import { NO_REDIS } from '../servers/redis-server.ts';
import { type Actor, Stage, within } from './stage.ts';

const MISSING = NO_REDIS ?? NO_POSTGRES;
if (MISSING !== undefined) console.warn(`The tests of a budget over workers are skipped: ${MISSING}`);

const RUNS = Number(process.env.CLUSTER_BUDGETS ?? 1);
const LIMIT_USD = 1;
const WORKERS = ['worker-1', 'worker-2', 'worker-3', 'worker-4'] as const;
const CHILDREN = 8;
const CALLS_OF_CHILD = 25;
/** Tokens of each flat reply, of the 8 192 that are reserved for it: all of them would cost twice the limit. */
const OUTPUT_TOKENS = 6_000;
const RUN_MS = 90_000;

describe.skipIf(MISSING !== undefined)('a run that may cost 1.00 USD, over four workers', () => {
  let stage: Stage;
  const workers = new Map<string, Actor>();
  beforeAll(async () => {
    stage = await Stage.open(['asks', ...WORKERS], ({ system, messages, index }) => {
      if (!system.includes('You answer a query')) {
        const usage = { inputTokens: 20, outputTokens: OUTPUT_TOKENS };
        return { text: 'flat', usage, latencyMs: 500 + (index % 7) * 100 };
      }
      const isChild = isOfChild(messages);
      const cell = isChild
        ? `print(context)\nFINAL(str(sum(r.ok for r in llm_query_batched([f"{context} {i}" for i in range(${CALLS_OF_CHILD})]))))`
        : `r = rlm_query_batched([('CHILD', str(i)) for i in range(${CHILDREN})])\nFINAL(' '.join(str(x) for x in r))`;
      return { text: `\`\`\`repl\n${cell}\n\`\`\`` };
    });
  }, 60_000);
  afterAll(() => stage.close());

  async function startWorkers(queue: string): Promise<void> {
    await Promise.all(
      WORKERS.map(async (name) => {
        const known = workers.get(name);
        if (known === undefined || !stage.actors.has(known)) workers.set(name, await stage.worker(name, queue));
      }),
    );
  }

  /** Kills a worker at a time, and once the process that asks, until the run has ended. */
  async function play(number: number): Promise<{ readonly kills: number; readonly costUsd: number }> {
    const random = seeded(number + 1);
    const queue = 'budget';
    const store = `budget-${number}`;
    const env = { FATHOM_TEST_USD: String(LIMIT_USD) };
    await startWorkers(queue);
    let running = stage.run('asks', { queue, store, env });
    const runId = await running.id;
    const before = stage.mock.calls.length;
    await stage.mock.hasSeen(before + 5);
    let kills = 0;
    for (;;) {
      const over = await Promise.race([running.closed.then(() => true), delay(500 + random() * 1_500, false)]);
      // Its result is there: it has only to close.
      if (over || running.lines.length > 1) break;
      kills += 1;
      if (kills === 2) {
        stage.drop(running);
        running = stage.run('asks', { queue, store, runId, env });
        continue;
      }
      // After a few, the run may end.
      if (kills > 6) continue;
      const victim = workers.get(WORKERS[Math.floor(random() * WORKERS.length)] ?? '');
      if (victim !== undefined) stage.drop(victim);
      await startWorkers(queue);
    }
    const { usage, failed } = await running.ended;
    if (usage === undefined) throw new Error(`the run has no usage: ${JSON.stringify(failed)}\n${stage.report()}`);
    return { kills, costUsd: usage.costUsd };
  }

  it.each(Array.from({ length: RUNS }, (_, number) => number))(
    'run %d never exceeds it, by the account of the provider',
    async (number) => {
      const before = stage.mock.calls.length;
      const { kills, costUsd } = await within(play(number), { ms: RUN_MS, what: `Run ${number}`, stage });
      const billed = stage.mock.calls.slice(before).reduce((sum, call) => sum + costOf(call), 0);
      console.log(`billed ${billed.toFixed(3)} USD, in the account ${costUsd.toFixed(3)} USD, ${kills} kills`);
      expect(billed).toBeLessThanOrEqual(LIMIT_USD);
      expect(costUsd).toBeLessThanOrEqual(LIMIT_USD);
      expect(billed).toBeLessThanOrEqual(costUsd);
      // The limit was in the way, and there were kills.
      expect(costUsd).toBeGreaterThan(LIMIT_USD * 0.8);
      expect(billed).toBeGreaterThan(LIMIT_USD * 0.2);
      expect(kills).toBeGreaterThanOrEqual(2);
    },
    2 * RUN_MS,
  );
});

/** US dollars, by the prices that the run knows as well. */
function costOf({ request, usage }: MockCall): number {
  const { price } = lookUpModel(`openai/${String(request.body.model)}`);
  if (price === undefined) throw new Error(`no price of ${String(request.body.model)}`);
  return (usage.inputTokens * price.input + usage.outputTokens * price.output) / 1_000_000;
}
