import { defined } from '../../defined.ts';
import { outputOf, requestOf } from '../ask/ask.ts';
import { contextFromArguments } from '../context/context-arguments.ts';
import { sweepInput } from '../context/spooled-input.ts';
import { givenCost, limitsOf, type QuestionOptions } from '../options/ask-options.ts';
import { applyConfig } from '../options/config.ts';
import { costLimitFor, settingsOf } from '../options/models.ts';
import { takeQuestion } from '../options/question.ts';
import type { StoreOptions } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { forTerminal } from '../screen/terminal-text.ts';
import { type Answered, type Stage, showRun, type WatchInterrupts } from '../watch/show-run.ts';
import { type OpenSession, withSession } from './with-session.ts';

/** The options of `fathom session ask`. */
export interface AskInOptions extends QuestionOptions, StoreOptions {}

/** One question in a session. */
export interface AskInSession {
  readonly id: string;
  /** Undefined where `-f` took it. */
  readonly question: string | undefined;
  readonly options: AskInOptions;
  readonly console: Console;
  readonly interrupts: WatchInterrupts;
}

/** Asks a question on a session's REPL and shows it as `fathom ask` does. Resolves with the exit code. */
export async function askInSession(asking: AskInSession): Promise<number> {
  const { id, options: given, console, interrupts } = asking;
  return await showRun({
    options: given,
    console,
    interrupts,
    onward: () => undefined,
    run: async (stage) => {
      const { question, options } = takeQuestion(asking.question, given);
      await using watching = await stage.watch();
      const note = (line: string): void => stage.view.note(line);
      const use = { id, options, console, note, onEvent: watching.onEvent };
      return await withSession(use, (open) => askOpenSession({ question, options, console }, open, stage));
    },
  });
}

/** No model has been asked in it yet: notices about its models are given once. */
function isUnused(session: OpenSession['session']): boolean {
  const { inputTokens, outputTokens } = session.status().usage;
  return inputTokens + outputTokens === 0;
}

/** A question for a session that is open. */
export interface SessionQuestion {
  readonly question: string;
  readonly options: QuestionOptions;
  readonly console: Console;
  /** Added to the system prompt for this question. */
  readonly instructions?: string;
}

/** Asks it, with the context and the limits that its options give. */
export async function askOpenSession(
  { question, options, console, instructions }: SessionQuestion,
  { session, models, store }: Pick<OpenSession, 'session' | 'models' | 'store'>,
  { view, interrupts }: Stage,
): Promise<Answered> {
  if (models.missing !== undefined) throw models.missing;
  const output = await outputOf(options);
  const config = applyConfig(console.env);
  const { maxCostUsd, notice } = costLimitFor(models.references, givenCost(options, config), models.rlm.prices);
  if (notice !== undefined && isUnused(session)) view.note(forTerminal(notice));
  await sweepInput(store);
  const { signal } = interrupts;
  // The session needs it again whenever it is restored: it is swept away once the session has ended.
  const { context } = await contextFromArguments({
    options,
    stdin: console.stdin,
    note: (line) => view.note(line),
    store,
    signal,
    ...defined({ mcpServers: config.mcpServers }),
  });
  const modelSettings = settingsOf(options, config);
  const limits = { ...limitsOf(options, config), ...(maxCostUsd !== undefined && { maxCostUsd }) };
  const run = session.completion({
    ...requestOf({ question, context, output, signal }),
    limits,
    ...(instructions !== undefined && { instructions }),
    ...(modelSettings !== undefined && { modelSettings }),
  });
  interrupts.attach(run);
  return { result: await run, schema: output };
}
