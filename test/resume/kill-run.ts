/**
 * The run the kill loop kills: over 500 sub-calls over several turns, threads of control and children, against a mock
 * provider whose every answer follows from its request. Started as a process of its own: `node kill-run.ts STORE [ID]`.
 *
 * @module
 */
import { argv, env, stdout } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { connectCluster } from '../../src/cluster/index.ts';
import { type CompletionRun, createRlm, type ReplChoice } from '../../src/index.ts';
import { openKillStore } from './kill-script.ts';

const [place = '', runId] = argv.slice(2);
const store = openKillStore(place);
/** With it, children run on workers. */
const { FATHOM_TEST_REDIS: redis, FATHOM_TEST_QUEUE: queue = '' } = env;
const cluster = redis === undefined ? undefined : await connectCluster({ redis, queue });
const rlm = createRlm({
  ...(cluster !== undefined && { cluster }),
  model: 'openai/gpt-5',
  subModel: 'openai/gpt-5-mini',
  repl: (env.FATHOM_TEST_REPL ?? 'auto') as ReplChoice,
  limits: { maxDepth: 2, maxConcurrentCalls: 16, maxSubCalls: 2_000, maxTokens: 100_000_000 },
  store,
});

try {
  const run = start();
  stdout.write(`${JSON.stringify({ runId: run.id })}\n`);
  const result = await run.catch((error: unknown) => onceFree(error));
  stdout.write(
    `${JSON.stringify({ outcome: result.outcome, answer: result.answer, usage: result.usage, subCalls: result.subCalls })}\n`,
  );
} catch (error) {
  const { code, message, resumable } = error as { code?: string; message?: string; resumable?: boolean };
  stdout.write(`${JSON.stringify({ failed: { code, message, resumable } })}\n`);
} finally {
  await rlm.close();
  await cluster?.close();
  await store.close();
}

function start(): CompletionRun<unknown> {
  if (runId !== undefined) return rlm.resume(runId);
  return rlm.completion({ query: 'ROOT', context: 'the context of the kill loop' });
}

/** A store with leases frees a killed run when its lease has ended. */
async function onceFree(error: unknown): Promise<Awaited<CompletionRun<unknown>>> {
  if ((error as { readonly code?: string }).code !== 'run-locked') throw error;
  await delay(100);
  return await start().catch((again: unknown) => onceFree(again));
}
