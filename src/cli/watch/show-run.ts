import type { StandardSchemaV1 } from '@standard-schema/spec';
import { systemClock } from '../../clock.ts';
import { CompletionError, type CompletionResult, type Unfinished } from '../../engine/result.ts';
import type { RunEvent } from '../../event/event.ts';
import { openAnswerFile } from '../answer/answer-file.ts';
import { printAnswer } from '../answer/print-answer.ts';
import { EXIT, exitCodeOf, exitCodeOfError } from '../exit-codes.ts';
import type { OutputOptions, ProgressOptions } from '../options/ask-options.ts';
import { type Console, colorsFor, isInteractive } from '../screen/console.ts';
import { printError } from '../screen/error-report.ts';
import { compact, counted, duration, money } from '../screen/figures.ts';
import { wrapped } from '../screen/layout.ts';
import { inOptionWords } from '../screen/option-words.ts';
import { onOneLine, writeJson } from '../screen/terminal-text.ts';
import { fullNarrator } from './full-narrator.ts';
import type { Interrupts } from './interrupts.ts';
import { briefNarrator } from './narrator.ts';
import { createProgressView, NO_PROGRESS, type ProgressView } from './progress-view.ts';
import { errorJson } from './result-json.ts';
import { openTrace } from './trace-file.ts';

/** Made with the function that prints notes, so that a live line is not broken. */
export type WatchInterrupts = (note: (line: string) => void) => Interrupts;

/** The view of a run, and the signals that end it. */
export interface Stage {
  readonly view: ProgressView;
  readonly interrupts: Interrupts;
  /** Opens the trace, where one is wanted. @throws RlmError `invalid-option` when it cannot be written */
  watch(): Promise<Watching>;
}

/** Takes the events of a run until it is disposed of. */
export interface Watching extends AsyncDisposable {
  readonly onEvent: (event: RunEvent) => void;
}

/** A result, and how to print its answer. */
export interface Answered {
  readonly result: CompletionResult<unknown>;
  /** Of the answer: a typed one is printed as JSON. */
  readonly schema: StandardSchemaV1 | undefined;
}

/** One run on the command line. */
export interface ShowRun {
  readonly options: ProgressOptions & OutputOptions;
  readonly console: Console;
  readonly interrupts: WatchInterrupts;
  readonly run: (stage: Stage) => Promise<Answered>;
  /** The command that resumes the run; undefined when the run is not stored. */
  readonly onward: (runId: string) => string | undefined;
}

/** Shows a run, prints its answer. Resolves with the exit code; never rejects for a mistake of the user. */
export async function showRun({ options, console, interrupts: watch, run, onward }: ShowRun): Promise<number> {
  const view = progressFor(options, console);
  const interrupts = watch(options.quiet === true ? () => undefined : (line) => view.note(line));
  try {
    await using file = await openAnswerFile(options);
    const { result, schema } = await run({ view, interrupts, watch: () => watching(options, view) });
    view.end();
    if (options.quiet !== true) separate(console);
    const printed = await printAnswer(result, { json: options.json === true, schema, console, file });
    if (options.quiet !== true) console.stderr.write(`${wrapped(summaryLine(result), console.stderr, 2)}\n`);
    return printed ? exitCodeOf(result) : EXIT.failed;
  } catch (error) {
    view.end();
    const next = error instanceof CompletionError && error.resumable ? onward(error.result.runId) : undefined;
    if (options.json === true) writeJson(console.stdout, errorJson(error, next !== undefined));
    if (interrupts.signal.aborted) console.stderr.write('fathom: stopped.\n');
    else printError(error, console.stderr);
    if (error instanceof CompletionError && hasBegun(error) && options.quiet !== true) {
      console.stderr.write(`${wrapped(summaryLine(error.result), console.stderr, 2)}\n`);
      if (next !== undefined) console.stderr.write(`Nothing that was paid for is lost. Resume with: ${next}\n`);
    }
    if (interrupts.terminated) return EXIT.terminated;
    return interrupts.signal.aborted ? EXIT.interrupted : exitCodeOfError(error);
  } finally {
    interrupts.dispose();
  }
}

/** A run that was refused before its first call has no summary, and the store has no record of it. */
function hasBegun({ result, resumable }: CompletionError): boolean {
  return resumable || result.turns > 0 || result.usage.calls > 0;
}

/** The view that the options of a command ask for. */
export function progressFor(options: ProgressOptions, { stderr, env }: Console): ProgressView {
  if (options.quiet === true) return NO_PROGRESS;
  const interactive = isInteractive(stderr, env);
  const narrating = { colors: colorsFor(stderr, env), stream: stderr, interactive };
  return createProgressView({
    stream: stderr,
    clock: systemClock,
    interactive,
    narrator: options.verbose === true ? fullNarrator(narrating) : briefNarrator(narrating),
  });
}

async function watching(options: ProgressOptions, view: ProgressView): Promise<Watching> {
  const failed = (message: string): void => view.note(onOneLine(message, 400));
  const trace = options.trace === undefined ? undefined : await openTrace(options.trace, failed);
  return {
    onEvent(event) {
      trace?.write(event);
      view.event(event);
    },
    [Symbol.asyncDispose]: async () => await trace?.[Symbol.asyncDispose](),
  };
}

/** A blank line between the log and the answer, where both are on one screen. */
function separate({ stdout, stderr }: Console): void {
  if (stdout.isTTY === true && stderr.isTTY === true) stderr.write('\n');
}

/** Longest reason. */
const REASON_CHARS = 400;

/** How a run ended and what it cost, on one line. */
export function summaryLine(result: CompletionResult<unknown> | Unfinished): string {
  const { usage } = result;
  const reason = result.outcome === 'exhausted' ? `: ${onOneLine(inOptionWords(result.reason), REASON_CHARS)}` : '';
  const parts = [
    `${result.outcome} (${result.stop})${reason}`,
    counted(result.turns, 'turn'),
    counted(result.subCalls, 'sub-call'),
    `${compact(usage.inputTokens)} tokens in, ${compact(usage.outputTokens)} out`,
    money(usage.costUsd),
    duration(result.elapsedMs),
    `run ${result.runId}`,
  ];
  return parts.join(' · ');
}
