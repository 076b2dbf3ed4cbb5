/**
 * A run whose tool appends a line to a file and then does not return: killed there, and resumed by a second process.
 * `node tool-run.ts FOLDER KIND [ID]`; a second process lets the tool return.
 *
 * @module
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, env, stdout } from 'node:process';
import { createRlm, type ReplChoice, sqliteStore, type ToolCallOptions } from '../../src/index.ts';
import { scriptedModel } from '../../src/test.ts';

const [folder = '', kind = '', runId] = argv.slice(2);

/** Where the first process is killed: in the tool, which may be called once, twice, or from several threads of control. */
const CODE: Readonly<Record<string, string>> = {
  once: 'total = pay(amount=1)',
  second: 'total = pay(amount=1) + pay(amount=1)',
  batch: [
    'from concurrent.futures import ThreadPoolExecutor',
    'with ThreadPoolExecutor(3) as pool:',
    '    total = sum(pool.map(lambda n: pay(amount=n), [1, 2, 3]))',
  ].join('\n'),
  retried: 'try:\n    pay(amount=0)\nexcept ValueError:\n    total = pay(amount=1)',
};

let calls = 0;
const pay = Object.assign(
  async ({ amount }: { amount: number }, { toolCallId, repeated }: ToolCallOptions) => {
    calls += 1;
    appendFileSync(join(folder, 'payments.jsonl'), `${JSON.stringify({ amount, toolCallId, repeated })}\n`);
    if (amount === 0) throw Object.assign(new Error('nothing to pay'), { name: 'ValueError' });
    const hangs = runId === undefined && (kind !== 'second' || calls === 2);
    if (hangs) {
      if (kind !== 'batch' || calls === 3) stdout.write(`${JSON.stringify({ inTool: true })}\n`);
      await new Promise(() => setInterval(() => undefined, 1_000));
    }
    return amount;
  },
  { description: 'Pays.', parameters: ['amount'] },
);

const store = sqliteStore(folder);
const rlm = createRlm({
  // The first reply is recorded: a resumed run asks for the second.
  model: scriptedModel([
    ...(runId === undefined ? [`\`\`\`python\n${CODE[kind] ?? ''}\n\`\`\``] : []),
    'FINAL_VAR(total)',
  ]),
  repl: (env.FATHOM_TEST_REPL ?? 'auto') as ReplChoice,
  tools: { pay },
  store,
});
const run = runId === undefined ? rlm.completion({ query: 'Pay.' }) : rlm.resume(runId);
stdout.write(`${JSON.stringify({ runId: run.id })}\n`);
const text = await run.then(
  (result) => result.text,
  (error: Error) => error.message,
);
stdout.write(`${JSON.stringify({ text })}\n`);
await rlm.close();
await store.close();
