import type { StandardSchemaV1 } from '@standard-schema/spec';
import { systemClock } from '../clock.ts';
import type { CompletionRequest } from '../completion/request.ts';
import { CompletionError, type CompletionResult } from '../completion/result.ts';
import { RlmError } from '../errors.ts';
import { createRlm } from '../rlm.ts';
import type { RlmOptions } from '../rlm-options.ts';
import { type AskOptions, limitsOf } from './ask-options.ts';
import { type Console, colorsFor, isInteractive } from './console.ts';
import { contextFromArguments, hasUnreadInput, STDIN } from './context-arguments.ts';
import { costLimitFor } from './cost-limit.ts';
import { describeError } from './error-report.ts';
import { EXIT, exitCodeOf, exitCodeOfError } from './exit-codes.ts';
import type { Interrupts } from './interrupts.ts';
import { briefNarrator, fullNarrator } from './narrator.ts';
import { createProgressView, NO_PROGRESS, type ProgressView } from './progress-view.ts';
import { errorJson, resultJson } from './result-json.ts';
import { schemaFromFile } from './schema-file.ts';
import { summaryLine } from './summary-line.ts';
import { forTerminal, onOneLine } from './terminal-text.ts';
import { openTrace } from './trace-file.ts';

/** One `fathom ask`. */
export interface Ask {
  readonly question: string;
  readonly options: AskOptions;
  readonly console: Console;
  /** Made with the function that prints notes, so that a live line is not broken. */
  readonly interrupts: (note: (line: string) => void) => Interrupts;
}

/** Asks the question, shows the run, prints the answer. Resolves with the exit code; rejects for nothing a user can cause. */
export async function ask({ question, options, console, interrupts: watch }: Ask): Promise<number> {
  const view = progressFor(options, console);
  const interrupts = watch(options.quiet === true ? () => undefined : (line) => view.note(line));
  try {
    const result = await answer({ question, options, console, view, interrupts });
    view.end();
    print(result, options, console);
    if (options.quiet !== true) console.stderr.write(`${summaryLine(result)}\n`);
    return exitCodeOf(result);
  } catch (error) {
    view.end();
    const stopped = interrupts.signal.aborted;
    if (options.json === true) console.stdout.write(`${JSON.stringify(errorJson(error))}\n`);
    console.stderr.write(`${stopped ? 'fathom: stopped.' : describeError(error)}\n`);
    if (error instanceof CompletionError && options.quiet !== true) {
      console.stderr.write(`${summaryLine(error.result)}\n`);
    }
    if (interrupts.terminated) return EXIT.terminated;
    return stopped ? EXIT.interrupted : exitCodeOfError(error);
  } finally {
    interrupts.dispose();
  }
}

function progressFor(options: AskOptions, { stderr, env }: Console): ProgressView {
  if (options.quiet === true) return NO_PROGRESS;
  const colors = colorsFor(stderr, env);
  return createProgressView({
    stream: stderr,
    clock: systemClock,
    interactive: isInteractive(stderr, env),
    narrator: options.verbose === true ? fullNarrator(colors) : briefNarrator(colors),
  });
}

interface Running extends Omit<Ask, 'interrupts'> {
  readonly view: ProgressView;
  readonly interrupts: Interrupts;
}

async function answer(running: Running): Promise<CompletionResult<unknown>> {
  const { question, options, console, view, interrupts } = running;
  const model = modelOf(options, console.env);
  const output = options.schema === undefined ? undefined : await schemaFromFile(options.schema);
  const traceFailed = (message: string): void => view.note(onOneLine(message, 400));
  await using trace = options.trace === undefined ? undefined : await openTrace(options.trace, traceFailed);
  const paths = options.file ?? [];
  if (paths.length === 0 && hasUnreadInput(console.stdin)) {
    view.note(`Standard input is not read: give -f ${STDIN} to use it as context.`);
  }
  const { context, dispose } = await contextFromArguments(paths, console.stdin, interrupts.signal);
  try {
    await using rlm = createRlm({
      ...rlmOptions(model, options, view),
      onEvent: (event) => {
        trace?.write(event);
        view.event(event);
      },
    });
    const run = rlm.completion(requestOf({ question, context, output, signal: interrupts.signal }));
    interrupts.attach(run);
    return await run;
  } finally {
    await dispose();
  }
}

function requestOf(parts: {
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

function modelOf(options: AskOptions, env: Console['env']): string {
  const model = options.model ?? env.FATHOM_MODEL?.trim();
  if (model !== undefined && model !== '') return model;
  throw new RlmError({
    code: 'invalid-option',
    message:
      'No model is named: give -m provider/model, e.g. -m openai/gpt-5-mini or -m ollama/qwen3, or set FATHOM_MODEL. `fathom doctor` shows which keys are set.',
    userAction: true,
  });
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

function print(result: CompletionResult<unknown>, options: AskOptions, { stdout }: Console): void {
  if (options.json === true) {
    stdout.write(`${JSON.stringify(resultJson(result))}\n`);
    return;
  }
  const typed = options.schema !== undefined && result.answer !== undefined;
  const text = typed ? JSON.stringify(result.answer, null, 2) : result.text;
  if (text === '') return;
  // A file or a pipe gets the answer byte for byte.
  const shown = stdout.isTTY === true ? forTerminal(text) : text;
  stdout.write(shown.endsWith('\n') ? shown : `${shown}\n`);
}
