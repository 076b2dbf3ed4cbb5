/**
 * A process for tests to kill: starts the one run of a store, or resumes it, and prints its result. Arguments: the
 * store's folder.
 *
 * @module
 */

import { systemClock } from '../../src/clock.ts';
import { createRlm, type RlmOptions } from '../../src/index.ts';
import { openJournal } from '../../src/journal/index.ts';
import { sqliteStore } from '../../src/store/index.ts';
import { findPython, plainPython } from '../repl-conformance/plain-python.ts';

/** The report of a finished run, as one line of JSON. */
export interface Finished {
  readonly answer: unknown;
  readonly subCalls: number;
  readonly usage: { readonly calls: number; readonly possiblyBilled: number; readonly outputTokens: number };
  /** Of attempts that were not in flight at a kill. */
  readonly settled: { readonly calls: number; readonly outputTokens: number };
  readonly seqs: readonly number[];
  readonly terminals: number;
}

const ROOT_OPTIONS: Omit<RlmOptions, 'repl' | 'isolation' | 'store'> = {
  model: 'openai/d0',
  subModel: ['openai/d1', 'openai/d2'],
  limits: { maxDepth: 2, maxSubCalls: 5000 },
};

function repl(): Pick<RlmOptions, 'repl' | 'isolation'> {
  const chosen = process.env.FATHOM_TEST_REPL ?? 'plain';
  if (chosen !== 'plain') return { repl: chosen as 'pyodide' | 'python' };
  const { path, reason } = findPython();
  if (path === undefined) throw new Error(reason);
  return { repl: plainPython({ python: path }), isolation: 'none' };
}

async function live(folder: string): Promise<Finished> {
  const store = sqliteStore(folder);
  await using rlm = createRlm({ ...ROOT_OPTIONS, ...repl(), store });
  const [known] = await store.runs.list({ rootsOnly: true });
  const context = Array.from({ length: 200 }, (_, n) => `line ${n}`).join('\n');
  const run = known === undefined ? rlm.completion({ query: 'go', context }) : rlm.resume(known.id);
  const result = await run;
  const events = await store.events.read(run.id);
  const { recovered } = await openJournal({ journalId: run.id, store, clock: systemClock });
  const settled = recovered.attempts.filter((attempt) => !attempt.inFlight);
  return {
    answer: result.answer,
    subCalls: result.subCalls,
    usage: result.usage,
    settled: {
      calls: settled.length,
      outputTokens: settled.reduce((sum, { settlement }) => sum + settlement.usage.outputTokens, 0),
    },
    seqs: events.map((event) => event.seq),
    terminals: events.filter((event) => event.type === 'run.completed').length,
  };
}

const [folder = ''] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(await live(folder))}\n`);
process.exit();
