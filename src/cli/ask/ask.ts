import type { StandardSchemaV1 } from '@standard-schema/spec';
import { keepConversionsForProcess } from '../../convert/conversion-cache.ts';
import { defined } from '../../defined.ts';
import { CompletionError } from '../../engine/result.ts';
import { createRlm } from '../../rlm.ts';
import type { RlmOptions } from '../../rlm-options.ts';
import type { CompletionRequest } from '../../run/run-handle.ts';
import { checkAnswerFormat } from '../answer/answer-format.ts';
import { contextFromArguments } from '../context/context-arguments.ts';
import { sweepInput } from '../context/spooled-input.ts';
import { type AskOptions, modeOf, type QuestionOptions } from '../options/ask-options.ts';
import { applyConfig, type Config } from '../options/config.ts';
import { requiredModel } from '../options/models.ts';
import { takeQuestion } from '../options/question.ts';
import { rlmOptionsOf } from '../options/rlm-options.ts';
import { schemaFromFile } from '../options/schema-file.ts';
import { openToKeep, type StoreHandle, storeArgument } from '../options/store.ts';
import { connectWorkers } from '../options/workers.ts';
import type { Console } from '../screen/console.ts';
import { type Answered, type Stage, showRun, type WatchInterrupts } from '../watch/show-run.ts';

/** One `fathom ask`. */
export interface Ask {
  /** Undefined where `-f` took it. */
  readonly question: string | undefined;
  readonly options: AskOptions;
  readonly console: Console;
  readonly interrupts: WatchInterrupts;
}

/** Asks the question, shows the run, prints the answer. Resolves with the exit code; never rejects for a mistake of the user. */
export async function ask({ options: given, console, interrupts, ...asked }: Ask): Promise<number> {
  const { store } = given;
  let kept = false;
  return await showRun({
    options: given,
    console,
    interrupts,
    onward: (runId) => (kept && store !== false ? `fathom resume ${runId}${storeArgument(store)}` : undefined),
    run: async (stage) => {
      const { question, options } = takeQuestion(asked.question, given);
      const config = applyConfig(console.env);
      const model = requiredModel(options.model, console.env, config);
      const output = await outputOf(options);
      if (options.store === false) keepConversionsForProcess();
      await using watching = await stage.watch();
      await using keeping = openToKeep(options, (line) => stage.view.note(line));
      kept = keeping.durable;
      const { onEvent } = watching;
      const rlm = {
        ...rlmOptionsOf({ model, options, config, env: console.env, note: (line) => stage.view.note(line) }),
        store: keeping.store,
        onEvent,
      };
      const routed = { ...options, ...modeOf(options, config) };
      return await answer({
        question,
        options: routed,
        console,
        stage,
        keeping,
        output,
        rlm,
        mcpServers: config.mcpServers,
      });
    },
  });
}

interface Asking extends Omit<Ask, 'interrupts' | 'question'> {
  readonly question: string;
  readonly stage: Stage;
  readonly keeping: StoreHandle;
  readonly output: StandardSchemaV1<unknown, unknown> | undefined;
  readonly rlm: RlmOptions;
  readonly mcpServers: Config['mcpServers'];
}

async function answer(asking: Asking): Promise<Answered> {
  const { question, options, console, stage, keeping, output, rlm: made, mcpServers } = asking;
  const { interrupts } = stage;
  const { signal } = interrupts;
  const store = keeping.durable ? keeping.store : undefined;
  await sweepInput(keeping.store);
  const note = (line: string): void => stage.view.note(line);
  const given = { options, stdin: console.stdin, note, signal, ...defined({ store, mcpServers }) };
  const { context, dispose } = await contextFromArguments(given);
  let resumable = false;
  try {
    await using cluster = await connectWorkers(options);
    await using rlm = createRlm({ ...made, ...defined({ cluster }) });
    const run = rlm.completion(requestOf({ question, context, output, signal, options }));
    interrupts.attach(run);
    return { result: await run, schema: output };
  } catch (error) {
    resumable = keeping.durable && error instanceof CompletionError && error.resumable;
    throw error;
  } finally {
    // A resumed run needs its standard input again.
    if (!resumable) await dispose();
  }
}

/** The schema of the answer, which the file of `-o` can hold. @throws RlmError `invalid-option` */
export async function outputOf(options: QuestionOptions): Promise<StandardSchemaV1<unknown, unknown> | undefined> {
  const schema = options.schema === undefined ? undefined : await schemaFromFile(options.schema);
  checkAnswerFormat(options, schema);
  return schema;
}

export function requestOf(parts: {
  readonly question: string;
  readonly context: CompletionRequest['context'] | undefined;
  readonly output: StandardSchemaV1<unknown, unknown> | undefined;
  readonly signal: AbortSignal;
  readonly options?: Pick<AskOptions, 'mode' | 'evidence' | 'consensus'>;
}): CompletionRequest<unknown> {
  const { question, context, output, signal, options = {} } = parts;
  const { mode, evidence, consensus } = options;
  return {
    query: question,
    signal,
    ...(context !== undefined && { context }),
    ...(output !== undefined && { output }),
    ...defined({ mode, evidence, consensus }),
  };
}
