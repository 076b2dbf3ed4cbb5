import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_LIMITS, type Limits } from '../../limits.ts';
import { ISOLATION_LEVELS } from '../../repl/isolation-levels.ts';
import type { IsolationLevel } from '../../repl/port.ts';
import type { ContextOptions } from '../context/context-arguments.ts';
import { STDIN_TIMEOUT_SECONDS } from '../context/piped-input.ts';
import { DEFAULT_MAX_COST_USD } from './models.ts';
import { addKeepOptions, type KeepOptions } from './store.ts';

/** Options of a question, both in `fathom ask` and in a session. */
export interface QuestionOptions extends ProgressOptions, ContextOptions {
  readonly model?: string;
  readonly subModel?: readonly string[];
  readonly schema?: string;
  readonly maxTurns?: number;
  readonly maxDepth?: number;
  readonly maxCost?: number;
  readonly maxTokens?: number;
  readonly maxSubCalls?: number;
  readonly maxConcurrentCalls?: number;
  readonly timeout?: number;
}

/** Where code runs. */
export interface ReplOptions {
  readonly repl: 'auto' | 'pyodide' | 'python';
  readonly isolation: IsolationLevel;
}

/** The options of `fathom ask`, as commander parses them. */
export interface AskOptions extends QuestionOptions, ReplOptions, KeepOptions {}

/** Declares them. */
export function addAskOptions(command: Command): Command {
  return addProgressOptions(addKeepOptions(addReplOptions(addQuestionOptions(command))));
}

/** Declares the options of a question, without those of its progress. */
export function addQuestionOptions(command: Command): Command {
  return addModelOptions(addContextOptions(command))
    .option('--schema <file>', 'JSON Schema of the answer; it is checked, and printed as JSON')
    .option('--max-turns <n>', 'replies of the root model (default: 30)', count)
    .option('--max-depth <n>', '0: no sub-calls, 1: flat ones, 2: children with REPLs of their own (default: 1)', count)
    .option('--max-cost <usd>', `US dollars (default: ${DEFAULT_MAX_COST_USD} where prices are known)`, amount)
    .option('--max-tokens <n>', 'input and output tokens together (default: 2000000)', count)
    .option('--max-sub-calls <n>', `sub-calls of all depths together (default: ${DEFAULT_LIMITS.maxSubCalls})`, count)
    .option(
      '--max-concurrent-calls <n>',
      `calls under way at once (default: ${DEFAULT_LIMITS.maxConcurrentCalls})`,
      count,
    )
    .option('--timeout <seconds>', 'from start to answer (default: 1800)', amount);
}

/** Declares what the context is and how it is read. */
export function addContextOptions(command: Command): Command {
  return command
    .option('-f, --file <path...>', 'context: files, folders, glob patterns, - for standard input')
    .option(
      '--encoding <label>',
      'of its files, such as windows-1252; binary: hand over bytes (default: found by looking)',
    )
    .option('--exclude <pattern...>', 'leave these out of folders; patterns as in .gitignore')
    .option('--no-ignore', 'do not respect .gitignore and .ignore, nor leave node_modules out')
    .option('--no-stdin', 'without -f: do not read what is piped in')
    .option(
      '--stdin-timeout <seconds>',
      `to the first byte of what is piped in (default: ${STDIN_TIMEOUT_SECONDS})`,
      amount,
    );
}

/** Declares the options that name models. */
export function addModelOptions(command: Command): Command {
  return command
    .option('-m, --model <ref>', 'provider/model; default: the environment variable FATHOM_MODEL')
    .option('--sub-model <ref...>', 'model of sub-calls, per depth from 1; default: the model');
}

/** Declares where code runs. */
export function addReplOptions(command: Command): Command {
  return command
    .addOption(choice('--repl <backend>', 'where code runs', ['auto', 'pyodide', 'python'], 'auto'))
    .addOption(isolationOption('process'));
}

/** Declares the least isolation; without a preset the command decides. */
export function isolationOption(preset?: IsolationLevel): Option {
  return choice('--isolation <level>', 'least isolation accepted for it', ISOLATION_LEVELS, preset);
}

/** The limits that the options set. `maxCost` is separate: its default depends on the models. */
export function limitsOf(options: QuestionOptions): Partial<Limits> {
  const { maxTurns, maxDepth, maxTokens, maxSubCalls, maxConcurrentCalls, timeout } = options;
  return {
    ...(maxTurns !== undefined && { maxTurns }),
    ...(maxDepth !== undefined && { maxDepth }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(maxSubCalls !== undefined && { maxSubCalls }),
    ...(maxConcurrentCalls !== undefined && { maxConcurrentCalls }),
    ...(timeout !== undefined && { maxDurationMs: Math.ceil(timeout * 1_000) }),
  };
}

function choice(flags: string, description: string, values: readonly string[], preset: string | undefined): Option {
  const option = new Option(flags, description).choices(values);
  return preset === undefined ? option : option.default(preset);
}

/** Parses an option that is a whole number. */
export function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** Parses an option that is a number, with or without a fraction. */
export function amount(text: string): number {
  if (!/^(\d+\.?\d*|\.\d+)$/.test(text)) throw new InvalidArgumentError('It must be a number such as 2 or 0.5.');
  return Number(text);
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
  return command
    .option('--json', 'print one JSON object: outcome, stop, answer, text, usage, turns, subCalls, …')
    .option('--trace <file>', 'write every event of the run as a line of JSON')
    .addOption(new Option('-q, --quiet', 'no progress on standard error').conflicts('verbose'))
    .option('-v, --verbose', 'show what the model writes and sees');
}
