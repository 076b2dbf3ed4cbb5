/**
 * The run of the rounds, as a process of its own: `node rounds-run.ts STORE [ID]`. It prints its id, and at its end the result with the
 * account of each of its attempts.
 *
 * @module
 */
import { argv, env, stdout } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { connectCluster } from '../../src/cluster/index.ts';
import { type CompletionRun, createRlm } from '../../src/index.ts';
import { openJournal } from '../../src/journal/index.ts';
import { openKillStore } from '../resume/kill-script.ts';

const [place = '', runId] = argv.slice(2);
const { FATHOM_TEST_REDIS: redis = '', FATHOM_TEST_QUEUE: queue = '', FATHOM_TEST_USD } = env;
const store = openKillStore(place);
const cluster = await connectCluster({ redis, queue });
const budget = FATHOM_TEST_USD === undefined ? {} : { maxCostUsd: Number(FATHOM_TEST_USD) };
const rlm = createRlm({
  cluster,
  model: 'openai/gpt-5',
  subModel: 'openai/gpt-5-mini',
  limits: { maxDepth: 2, maxConcurrentCalls: 16, maxSubCalls: 2_000, maxTokens: 100_000_000, ...budget },
  store,
});

try {
  const run = start();
  print({ runId: run.id });
  const { outcome, answer, usage } = await run.catch((error: unknown) => onceFree(error));
  const { recovered } = await openJournal({ journalId: run.id, store, clock: systemClock });
  const attempts = recovered.attempts.map(({ key, settlement, inFlight }) => ({ key, inFlight, ...settlement }));
  print({ outcome, answer, usage, attempts });
} catch (error) {
  const { code, message, resumable, result } = error as { readonly [name: string]: unknown };
  print({ failed: { code, message, resumable }, usage: (result as { readonly usage?: unknown } | undefined)?.usage });
} finally {
  await rlm.close().catch((error: unknown) => print({ closingRlm: String(error) }));
  await cluster.close();
  await store.close().catch((error: unknown) => print({ closing: String(error) }));
}

function print(line: object): void {
  stdout.write(`${JSON.stringify(line)}\n`);
}

function start(): CompletionRun<unknown> {
  if (runId !== undefined) return rlm.resume(runId);
  return rlm.completion({ query: 'ROOT', context: 'the context of the rounds' });
}

/** A store with leases frees a killed run when its lease has ended. */
async function onceFree(error: unknown): Promise<Awaited<CompletionRun<unknown>>> {
  if ((error as { readonly code?: string }).code !== 'run-locked') throw error;
  await delay(100);
  return await start().catch((again: unknown) => onceFree(again));
}
