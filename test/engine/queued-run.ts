/**
 * One run that never ends and one that waits for its REPL, for a test that kills both: `node queued-run.ts FOLDER MODEL`. Prints
 * the id of the run that waits once it does.
 *
 * @module
 */
import { argv, env, stdout } from 'node:process';
import { createRlm, type ReplChoice, sqliteStore } from '../../src/index.ts';

const rlm = createRlm({
  model: argv[3] ?? '',
  requireInspection: false,
  repl: (env.FATHOM_TEST_REPL ?? 'auto') as ReplChoice,
  store: sqliteStore(argv[2] ?? ''),
  maxRepls: 1,
  onEvent: (event) => {
    if (event.type === 'run.queued') stdout.write(`${event.runId}\n`);
  },
});
// Alive until it is killed.
setInterval(() => undefined, 60_000);
void rlm.completion({ query: 'first' });
void rlm.completion({ query: 'second' });
