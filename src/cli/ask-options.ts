import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Limits } from '../limits.ts';
import type { IsolationLevel } from '../repl/port.ts';
import { DEFAULT_MAX_COST_USD } from './cost-limit.ts';

/** The options of `fathom ask`, as commander hands them over. */
export interface AskOptions {
  readonly file?: readonly string[];
  readonly model?: string;
  readonly subModel?: readonly string[];
  readonly schema?: string;
  readonly maxTurns?: number;
  readonly maxDepth?: number;
  readonly maxCost?: number;
  readonly maxTokens?: number;
  readonly timeout?: number;
  readonly repl: 'auto' | 'pyodide' | 'python';
  readonly isolation: IsolationLevel;
  readonly json?: true;
  readonly trace?: string;
  readonly quiet?: true;
  readonly verbose?: true;
}

/** Declares them. */
export function addAskOptions(command: Command): Command {
  return command
    .option('-f, --file <path...>', 'context: files, folders, glob patterns, - for standard input')
    .option('-m, --model <ref>', 'provider/model; default: the environment variable FATHOM_MODEL')
    .option('--sub-model <ref...>', 'model of sub-calls, per depth from 1; default: the model')
    .option('--schema <file>', 'JSON Schema of the answer; it is checked, and printed as JSON')
    .option('--max-turns <n>', 'replies of the root model (default: 30)', count)
    .option('--max-depth <n>', '0: no sub-calls, 1: flat ones, 2: children with REPLs of their own (default: 1)', count)
    .option('--max-cost <usd>', `US dollars (default: ${DEFAULT_MAX_COST_USD} where prices are known)`, amount)
    .option('--max-tokens <n>', 'input and output tokens together (default: 2000000)', count)
    .option('--timeout <seconds>', 'from start to answer (default: 1800)', amount)
    .addOption(choice('--repl <backend>', 'where code runs', ['auto', 'pyodide', 'python'], 'auto'))
    .addOption(
      choice(
        '--isolation <level>',
        'least isolation accepted for it',
        ['none', 'process', 'namespace', 'vm'],
        'process',
      ),
    )
    .option('--json', 'print one JSON object: outcome, stop, answer, text, usage, turns, subCalls, …')
    .option('--trace <file>', 'write every event of the run as a line of JSON')
    .addOption(new Option('-q, --quiet', 'no progress on standard error').conflicts('verbose'))
    .option('-v, --verbose', 'show what the model writes and sees');
}

/** The limits the options name. `maxCost` is settled apart: its default depends on the models. */
export function limitsOf(options: AskOptions): Partial<Limits> {
  const { maxTurns, maxDepth, maxTokens, timeout } = options;
  return {
    ...(maxTurns !== undefined && { maxTurns }),
    ...(maxDepth !== undefined && { maxDepth }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(timeout !== undefined && { maxDurationMs: Math.max(1, Math.round(timeout * 1_000)) }),
  };
}

function choice(flags: string, description: string, values: readonly string[], preset: string): Option {
  return new Option(flags, description).choices(values).default(preset);
}

function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function amount(text: string): number {
  if (!/^(\d+\.?\d*|\.\d+)$/.test(text)) throw new InvalidArgumentError('It must be a number such as 2 or 0.5.');
  return Number(text);
}
