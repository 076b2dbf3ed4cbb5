import type { StandardSchemaV1 } from '@standard-schema/spec';
import { CompletionError } from '../../engine/result.ts';
import { createRlm } from '../../rlm.ts';
import type { RlmOptions } from '../../rlm-options.ts';
import type { CompletionRequest } from '../../run/run-handle.ts';
import { contextFromArguments } from '../context/context-arguments.ts';
import { sweepInput } from '../context/spooled-input.ts';
import { type AskOptions, limitsOf, type QuestionOptions } from '../options/ask-options.ts';
import { costLimitFor, requiredModel } from '../options/models.ts';
import { schemaFromFile } from '../options/schema-file.ts';
import { openToKeep, type StoreHandle, storeArgument } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { forTerminal } from '../screen/terminal-text.ts';
import type { ProgressView } from '../watch/progress-view.ts';
import { type Answered, type Stage, showRun, type WatchInterrupts } from '../watch/show-run.ts';

/** One `fathom ask`. */
export interface Ask {
  readonly question: string;
  readonly options: AskOptions;
  readonly console: Console;
  readonly interrupts: WatchInterrupts;
}

/** Asks the question, shows the run, prints the answer. Resolves with the exit code; never rejects for a mistake of the user. */
export async function ask({ question, options, console, interrupts }: Ask): Promise<number> {
  const { store } = options;
  let kept = false;
  return await showRun({
    options,
    console,
    interrupts,
    onward: (runId) => (kept && store !== false ? `fathom resume ${runId}${storeArgument(store)}` : undefined),
    run: async (stage) => {
      const model = requiredModel(options.model, console.env);
      const output = await outputOf(options);
      await using watching = await stage.watch();
      await using keeping = openToKeep(options, (line) => stage.view.note(line));
      kept = keeping.durable;
      const { onEvent } = watching;
      const rlm = { ...rlmOptions(model, options, stage.view), store: keeping.store, onEvent };
      return await answer({ question, options, console, stage, keeping, output, rlm });
    },
  });
}

interface Asking extends Omit<Ask, 'interrupts'> {
  readonly stage: Stage;
  readonly keeping: StoreHandle;
  readonly output: StandardSchemaV1<unknown, unknown> | undefined;
  readonly rlm: RlmOptions;
}

async function answer({ question, options, console, stage, keeping, output, rlm: made }: Asking): Promise<Answered> {
  const { interrupts } = stage;
  const { signal } = interrupts;
  const store = keeping.durable ? keeping.store : undefined;
  await sweepInput(keeping.store);
  const note = (line: string): void => stage.view.note(line);
  const { context, dispose } = await contextFromArguments({ options, stdin: console.stdin, note, store, signal });
  let resumable = false;
  try {
    await using rlm = createRlm(made);
    const run = rlm.completion(requestOf({ question, context, output, signal }));
    interrupts.attach(run);
    return { result: await run, typed: output !== undefined };
  } catch (error) {
    resumable = keeping.durable && error instanceof CompletionError && error.resumable;
    throw error;
  } finally {
    // A resumed run needs its standard input again.
    if (!resumable) await dispose();
  }
}

/** The schema of the answer. @throws RlmError `invalid-option` */
export async function outputOf(options: QuestionOptions): Promise<StandardSchemaV1<unknown, unknown> | undefined> {
  return options.schema === undefined ? undefined : await schemaFromFile(options.schema);
}

export function requestOf(parts: {
  readonly question: string;
  readonly context: CompletionRequest['context'] | undefined;
  readonly output: StandardSchemaV1<unknown, unknown> | undefined;
  readonly signal: AbortSignal;
}): CompletionRequest<unknown> {
  const { question, context, output, signal } = parts;
  return {
    query: question,
    signal,
    ...(context !== undefined && { context }),
    ...(output !== undefined && { output }),
  };
}

function rlmOptions(model: string, options: AskOptions, view: ProgressView): RlmOptions {
  const { subModel, maxCost, repl, isolation } = options;
  const { maxCostUsd, notice } = costLimitFor([...new Set([model, ...(subModel ?? [])])], maxCost);
  if (notice !== undefined) view.note(forTerminal(notice));
  return {
    model,
    ...(subModel !== undefined && { subModel }),
    repl,
    isolation,
    limits: { ...limitsOf(options), ...(maxCostUsd !== undefined && { maxCostUsd }) },
  };
}
