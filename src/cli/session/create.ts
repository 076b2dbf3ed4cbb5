import { defined } from '../../defined.ts';
import { createRlm } from '../../rlm.ts';
import type { SessionOptions } from '../../session/session.ts';
import { type ContextOptions, contextFromArguments } from '../context/context-arguments.ts';
import { sweepInput } from '../context/spooled-input.ts';
import { EXIT } from '../exit-codes.ts';
import { type ReplOptions, replOf } from '../options/ask-options.ts';
import { applyConfig } from '../options/config.ts';
import type { ModelOptions } from '../options/models.ts';
import { openToWrite, type StoreOptions } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { localTime } from '../screen/layout.ts';
import { writeJson } from '../screen/terminal-text.ts';
import { chooseModels } from './model-choice.ts';

/** The options of `fathom session create`. */
export interface CreateOptions extends StoreOptions, ModelOptions, ReplOptions, ContextOptions {
  /** Seconds. */
  readonly lifetime?: number;
  readonly maxCost?: number;
  readonly maxTokens?: number;
  readonly json?: true;
}

/** Creates a session; its id goes to standard output. Resolves with the exit code. */
export async function createStoredSession(options: CreateOptions, console: Console): Promise<number> {
  const models = chooseModels(options, console.env);
  await using keeping = openToWrite(options.store);
  const { store } = keeping;
  await sweepInput(store);
  const config = applyConfig(console.env);
  const { context } = await contextFromArguments({
    options,
    stdin: console.stdin,
    note: (line) => console.stderr.write(`${line}\n`),
    store,
    ...defined({ mcpServers: config.mcpServers }),
  });
  await using rlm = createRlm({ ...models.rlm, store, ...replOf(options, config) });
  const session = await rlm.createSession({ ...sessionConfig(options), ...(context !== undefined && { context }) });
  const status = session.status();
  if (options.json === true) {
    writeJson(console.stdout, status);
  } else {
    console.stdout.write(`${session.id}\n`);
    console.stderr.write(
      `Open until ${localTime(status.expiresAt)}. Next: fathom session exec ${session.id} 'x = 1'\n`,
    );
  }
  return EXIT.answered;
}

function sessionConfig({ lifetime, maxCost, maxTokens }: CreateOptions): SessionOptions {
  const limits = {
    ...(maxCost !== undefined && { maxCostUsd: maxCost }),
    ...(maxTokens !== undefined && { maxTokens }),
  };
  return { limits, ...(lifetime !== undefined && { lifetimeMs: lifetime * 1_000 }) };
}
