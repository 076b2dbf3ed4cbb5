import { type Command, Option } from 'commander';
import { defined } from '../../defined.ts';
import { RUN_MODES, type RunMode } from '../../engine/run.ts';
import { DEFAULT_LIMITS, givenLimits, type Limits } from '../../limits.ts';
import type { IsolationLevel } from '../../repl/port.ts';
import { ISOLATION_LEVELS } from '../../repl/port.ts';
import type { ContextOptions } from '../context/context-arguments.ts';
import { STDIN_TIMEOUT_SECONDS } from '../context/piped-input.ts';
import type { Config } from './config.ts';
import {
  addModelOptions,
  addSettingOptions,
  DEFAULT_MAX_COST_USD,
  type ModelOptions,
  type SettingOptions,
} from './models.ts';
import { addKeepOptions, type KeepOptions } from './store.ts';
import { amount, count, each, limit } from './values.ts';
import { addWorkersOption, type WorkersOptions } from './workers.ts';

/** Options of models and limits, whatever is asked. */
export interface RunOptions extends ModelOptions, SettingOptions {
  readonly instructions?: string;
  readonly maxTurns?: number;
  readonly maxDepth?: number;
  readonly maxCost?: number;
  readonly maxTokens?: number;
  readonly maxSubCalls?: number;
  readonly maxConcurrentCalls?: number;
  readonly maxOutputTokens?: number;
  /** Seconds. */
  readonly timeout?: number;
  /** Seconds. */
  readonly callTimeout?: number;
  readonly limit?: readonly Partial<Limits>[];
}

/** Options of a question, both in `fathom ask` and in a session. */
export interface QuestionOptions extends RunOptions, ProgressOptions, ContextOptions, OutputOptions {
  readonly schema?: string;
}

/** Options of an `Rlm` that serves others. */
export interface EngineOptions extends RunOptions, ReplOptions {
  readonly mode?: RunMode;
  readonly maxRepls?: number;
  readonly maxQueuedRuns?: number;
}

/** Where the answer goes. */
export interface OutputOptions {
  readonly output?: string;
  readonly force?: true;
}

/** Where code runs. */
export interface ReplOptions {
  readonly repl?: 'auto' | 'pyodide' | 'python';
  readonly isolation?: IsolationLevel;
}

/** The options of `fathom ask`, as commander parses them. */
export interface AskOptions extends QuestionOptions, ReplOptions, KeepOptions, WorkersOptions {
  readonly mode?: RunMode;
  readonly evidence?: 'cite';
  readonly consensus?: number;
  readonly dryRun?: true;
  /** A worker runs it; the command prints its id and ends. */
  readonly detach?: true;
}

/** Declares them. */
export function addAskOptions(command: Command): Command {
  const dryRun = new Option('--dry-run', 'print the route and what the run may cost; nothing is sent or stored');
  const detach = new Option('--detach', 'hand the run to a worker of --workers, print its id, and end');
  return addWorkersOption(addProgressOptions(addKeepOptions(addReplOptions(addQuestionOptions(command)))))
    .addOption(modeOption())
    .addOption(
      new Option('--evidence <kind>', 'cite: the answer quotes the context, and each quote is checked').choices([
        'cite',
      ]),
    )
    .option('--consensus <k>', 'ask so many times, 2 to 9, and take the answer that most attempts give', count)
    .addOption(dryRun.conflicts(['output', 'force', 'trace']))
    .addOption(detach.conflicts(['dryRun', 'output', 'force', 'trace', 'consensus']));
}

function modeOption(): Option {
  const words = 'auto: one direct call where the context is small; direct: one at any size (default: always)';
  return new Option('--mode <mode>', words).choices(RUN_MODES);
}

/** Declares the options of a question, without those of its progress. */
export function addQuestionOptions(command: Command): Command {
  const withModels = addSettingOptions(addModelOptions(addContextOptions(command)));
  return addLimitOptions(
    addOutputOptions(
      addInstructionsOption(
        withModels.option('--schema <file>', 'JSON Schema of the answer; it is checked, and printed as JSON'),
      ),
    ),
  );
}

/** Declares `--instructions`. */
export function addInstructionsOption(command: Command): Command {
  return command.option('--instructions <text>', 'added to the system prompt of the root model');
}

/** Declares {@link EngineOptions}. */
export function addEngineOptions(command: Command): Command {
  const withModels = addInstructionsOption(addSettingOptions(addModelOptions(command)));
  return addReplOptions(addLimitOptions(withModels.addOption(modeOption())))
    .option('--max-repls <n>', 'REPLs open at once (default: from memory and cores)', count)
    .option('--max-queued-runs <n>', 'runs that may wait for a REPL (default: 2000)', count);
}

/** Declares {@link OutputOptions}. */
export function addOutputOptions(command: Command): Command {
  return command
    .option('-o, --output <file>', 'write the answer to this file instead of standard output')
    .option('--force', 'with -o: replace a file that exists');
}

/** Declares the limits of a question. */
export function addLimitOptions(command: Command): Command {
  const { maxSubCalls, maxConcurrentCalls, maxOutputTokens } = DEFAULT_LIMITS;
  return command
    .option('--max-turns <n>', 'replies of the root model (default: 30)', count)
    .option('--max-depth <n>', '0: no sub-calls, 1: flat ones, 2: children with REPLs of their own (default: 1)', count)
    .option('--max-cost <usd>', `US dollars (default: ${DEFAULT_MAX_COST_USD} where prices are known)`, amount)
    .option('--max-tokens <n>', 'input and output tokens together (default: 2000000)', count)
    .option('--max-output-tokens <n>', `tokens of one reply of the root model (default: ${maxOutputTokens})`, count)
    .option('--max-sub-calls <n>', `sub-calls of all depths together (default: ${maxSubCalls})`, count)
    .option('--max-concurrent-calls <n>', `calls under way at once (default: ${maxConcurrentCalls})`, count)
    .option('--timeout <seconds>', 'from start to answer (default: 1800)', amount)
    .option('--call-timeout <seconds>', 'one model call with all its attempts (default: 300)', amount)
    .option('--limit <name=value>', 'any other limit of docs/cli.md, e.g. maxEmptyTurns=5', each(limit));
}

/** Declares what the context is and how it is read. */
export function addContextOptions(command: Command): Command {
  return command
    .option(
      '-f, --file <path...>',
      'context: files, folders, glob patterns, URLs with --fetch, git:REV, - for standard input',
    )
    .option(
      '--encoding <label>',
      'of its files, such as windows-1252; binary: give its bytes (default: found by looking)',
    )
    .option('--exclude <pattern...>', 'leave these out of folders; patterns as in .gitignore')
    .option('--no-ignore', 'do not respect .gitignore, .ignore and .fathomignore, nor leave node_modules out')
    .option('--fetch', 'fetch the https: and http: URLs that -f names; only addresses of the public internet')
    .option('--fetch-bytes <n>', 'with --fetch: most bytes of one URL (default: 104857600)', count)
    .option('--no-stdin', 'without -f: do not read what is piped in')
    .option(
      '--stdin-timeout <seconds>',
      `to the first byte of what is piped in (default: ${STDIN_TIMEOUT_SECONDS})`,
      amount,
    );
}

/** Declares where code runs. */
export function addReplOptions(command: Command): Command {
  return command
    .addOption(new Option('--repl <backend>', 'where code runs (default: auto)').choices(['auto', 'pyodide', 'python']))
    .addOption(isolationOption('least isolation accepted for it (default: process)'));
}

/** Declares the least isolation. */
export function isolationOption(description = 'least isolation accepted for it'): Option {
  return new Option('--isolation <level>', description).choices(ISOLATION_LEVELS);
}

/** Where code runs, by options, else by the config file. */
export function replOf({ repl, isolation }: ReplOptions, config: Config): Required<ReplOptions> {
  return { repl: repl ?? config.repl ?? 'auto', isolation: isolation ?? config.isolation ?? 'process' };
}

/** How a question is answered, by the option, else by the config file. */
export function modeOf({ mode }: { readonly mode?: RunMode }, config: Config): { readonly mode?: RunMode } {
  return defined({ mode: mode ?? config.mode });
}

/** The limits that options and the config file set. `maxCostUsd` is separate: its default depends on the models. */
export function limitsOf(options: RunOptions, config: Config): Partial<Limits> {
  const { maxTurns, maxDepth, maxTokens, maxSubCalls, maxConcurrentCalls, maxOutputTokens } = options;
  const named = { maxTurns, maxDepth, maxTokens, maxSubCalls, maxConcurrentCalls, maxOutputTokens };
  const times = { maxDurationMs: milliseconds(options.timeout), callTimeoutMs: milliseconds(options.callTimeout) };
  return Object.assign(
    {},
    config.limits,
    ...(options.limit ?? []),
    givenLimits({ ...named, ...times } as Partial<Limits>),
  );
}

/** The cost limit that options and the config file set. */
export function givenCost({ maxCost, limit: limits = [] }: RunOptions, config: Config): number | undefined {
  return maxCost ?? Object.assign({}, config.limits, ...limits).maxCostUsd;
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.ceil(seconds * 1_000);
}

/** How a command shows a run. */
export interface ProgressOptions {
  readonly json?: true;
  readonly trace?: string;
  readonly quiet?: true;
  readonly verbose?: true;
}

/** Declares them. */
export function addProgressOptions(command: Command): Command {
  return addViewOptions(
    command
      .option('--json', 'print one JSON object: outcome, stop, answer, text, usage, turns, subCalls, …')
      .option('--trace <file>', 'write every event of the run as a line of JSON'),
  );
}

/** Declares how much of a run is shown. */
export function addViewOptions(command: Command): Command {
  return command
    .addOption(new Option('-q, --quiet', 'no progress on standard error').conflicts('verbose'))
    .option('-v, --verbose', 'show what the model writes and sees');
}
