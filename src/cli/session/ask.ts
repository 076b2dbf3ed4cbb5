import { outputOf, requestOf, tellUnreadInput } from '../ask.ts';
import { limitsOf, type QuestionOptions } from '../ask-options.ts';
import type { Console } from '../console.ts';
import { contextFromArguments } from '../context-arguments.ts';
import { costLimitFor } from '../cost-limit.ts';
import { type Answered, type Stage, showRun, type WatchInterrupts } from '../show-run.ts';
import { sweepInput } from '../spooled-input.ts';
import type { StoreOptions } from '../store.ts';
import { forTerminal } from '../terminal-text.ts';
import { type OpenSession, withSession } from './with-session.ts';

/** The options of `fathom session ask`. */
export interface AskInOptions extends QuestionOptions, StoreOptions {}

/** One question in a session. */
export interface AskInSession {
  readonly id: string;
  readonly question: string;
  readonly options: AskInOptions;
  readonly console: Console;
  readonly interrupts: WatchInterrupts;
}

/** Asks a question on a session's REPL and shows it as `fathom ask` does. Resolves with the exit code. */
export async function askInSession(asking: AskInSession): Promise<number> {
  const { id, options, console, interrupts } = asking;
  return await showRun({
    options,
    console,
    interrupts,
    onward: () => undefined,
    run: async (stage) => {
      await using watching = await stage.watch();
      const note = (line: string): void => stage.view.note(line);
      const use = { id, options, console, note, onEvent: watching.onEvent };
      return await withSession(use, (open) => answer(asking, open, stage));
    },
  });
}

async function answer(
  { question, options, console }: AskInSession,
  { session, models, store }: OpenSession,
  { view, interrupts }: Stage,
): Promise<Answered> {
  if (models.missing !== undefined) throw models.missing;
  const output = await outputOf(options);
  const { maxCostUsd, notice } = costLimitFor(models.references, options.maxCost);
  if (notice !== undefined) view.note(forTerminal(notice));
  tellUnreadInput(options, console, view);
  await sweepInput(store);
  const { signal } = interrupts;
  // The session needs it again whenever it is brought back: it is swept away once the session has ended.
  const { context } = await contextFromArguments(options.file ?? [], console.stdin, signal, store);
  const limits = { ...limitsOf(options), ...(maxCostUsd !== undefined && { maxCostUsd }) };
  const run = session.completion({ ...requestOf({ question, context, output, signal }), limits });
  interrupts.attach(run);
  return { result: await run, typed: output !== undefined };
}
