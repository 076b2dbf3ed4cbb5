/**
 * The run the kill loop kills: over 500 sub-calls over several turns, threads of control and children, against a mock
 * provider whose every answer follows from its request. Started as a process of its own: `node kill-run.ts FOLDER [ID]`.
 *
 * @module
 */
import { argv, env, stdout } from 'node:process';
import { createRlm, type ReplChoice, sqliteStore } from '../../src/index.ts';

const [folder = '', runId] = argv.slice(2);
const store = sqliteStore(folder);
const rlm = createRlm({
  model: 'openai/gpt-5',
  subModel: 'openai/gpt-5-mini',
  repl: (env.FATHOM_TEST_REPL ?? 'auto') as ReplChoice,
  limits: { maxDepth: 2, maxConcurrentCalls: 16, maxSubCalls: 2_000, maxTokens: 100_000_000 },
  store,
});

try {
  const run =
    runId === undefined
      ? rlm.completion({ query: 'ROOT', context: 'the context of the kill loop' })
      : rlm.resume(runId);
  stdout.write(`${JSON.stringify({ runId: run.id })}\n`);
  const result = await run;
  stdout.write(
    `${JSON.stringify({ outcome: result.outcome, answer: result.answer, usage: result.usage, subCalls: result.subCalls })}\n`,
  );
} catch (error) {
  const { code, message, resumable } = error as { code?: string; message?: string; resumable?: boolean };
  stdout.write(`${JSON.stringify({ failed: { code, message, resumable } })}\n`);
} finally {
  await rlm.close();
  await store.close();
}
