import { invalidOption } from '../../argument-checks.ts';
import { createRlm } from '../../rlm.ts';
import { contextFromArguments } from '../context/context-arguments.ts';
import { EXIT } from '../exit-codes.ts';
import { modeOf } from '../options/ask-options.ts';
import { readConfig } from '../options/config.ts';
import { requiredModel } from '../options/models.ts';
import { takeQuestion } from '../options/question.ts';
import { rlmOptionsOf } from '../options/rlm-options.ts';
import { openToWrite, storeArgument } from '../options/store.ts';
import { connectWorkers } from '../options/workers.ts';
import { reported } from '../screen/error-report.ts';
import { forTerminal, writeJson } from '../screen/terminal-text.ts';
import { type Ask, outputOf, requestOf } from './ask.ts';

/** Hands a question to the workers and prints the id of its run. Resolves with the exit code; never rejects for a mistake of the user. */
export async function detach({ question, options, console }: Omit<Ask, 'interrupts'>): Promise<number> {
  return await reported(options, console, () => submit({ question, options, console }));
}

async function submit({ question: asked, options: given, console }: Omit<Ask, 'interrupts'>): Promise<number> {
  const { question, options } = takeQuestion(asked, given);
  const { stdout, stderr, stdin, env } = console;
  const note = (line: string): void => {
    if (options.quiet !== true) stderr.write(`${forTerminal(line)}\n`);
  };
  const workers = options.workers ?? env.FATHOM_REDIS;
  if (workers === undefined)
    throw invalidOption('--detach needs --workers URL, or FATHOM_REDIS: the workers that take the run');
  if (options.store === false)
    throw invalidOption('--detach needs a store, which its worker shares: leave --no-store out');
  const config = readConfig(env);
  const model = requiredModel(options.model, env, config);
  const output = await outputOf(options);
  await using kept = openToWrite(options.store);
  const { signal } = new AbortController();
  const { context, dispose } = await contextFromArguments({ options, stdin, note, signal });
  try {
    await using cluster = await connectWorkers({ ...options, workers });
    const made = rlmOptionsOf({ model, options, config, env, note });
    await using rlm = createRlm({ ...made, store: kept.store, ...(cluster !== undefined && { cluster }) });
    const routed = { ...options, ...modeOf(options, config) };
    const { id } = await rlm.submit(requestOf({ question, context, output, signal, options: routed }));
    if (options.json === true) writeJson(stdout, { runId: id, status: 'queued' });
    else stdout.write(`${id}\n`);
    note(`The run waits for a worker. Follow it: fathom runs show ${id} --follow${storeArgument(options.store)}`);
    return EXIT.answered;
  } finally {
    // The store has a copy.
    await dispose();
  }
}
