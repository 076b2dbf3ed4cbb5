/**
 * The commands of `fathom`. They parse options and print; the engine does the work.
 *
 * @module
 */
import { Command, CommanderError } from 'commander';
import { closestTo } from '../similar.ts';
import { addCacheCommands } from './cache/commands.ts';
import { addChatCommand } from './chat/commands.ts';
import { cacheCompiledCode } from './compiled-code.ts';
import { addCompletionCommands } from './completion/commands.ts';
import { EXIT, exitCodeOfError } from './exit-codes.ts';
import { addMcpCommand } from './mcp/command.ts';
import { type AskOptions, addAskOptions } from './options/ask-options.ts';
import { addRunCommands } from './runs/commands.ts';
import type { Console } from './screen/console.ts';
import { printError } from './screen/error-report.ts';
import { wrapped } from './screen/layout.ts';
import { forTerminal } from './screen/terminal-text.ts';
import { addServeCommand } from './serve/command.ts';
import { addSessionCommands } from './session/commands.ts';
import { VERSION } from './versions.ts';
import { watchInterrupts } from './watch/interrupts.ts';
import type { WatchInterrupts } from './watch/show-run.ts';
import { addWorkerCommand } from './worker/command.ts';

const console: Console = {
  // Opened only when it is read.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
};

const exit = (): never => process.exit(EXIT.interrupted);
const interrupts: WatchInterrupts = (note) => watchInterrupts({ signals: process, note, exit });

/** Options may come before and after arguments. An error is printed once, without a stack. */
function program(): Command {
  const fathom = new Command('fathom')
    .description('Ask a question about a context of any size: the data stays a variable that the model programs.')
    .version(VERSION, '-V, --version')
    // Narrower than commander's own least width, or the wide terms of `session` leave no room to break lines.
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({
      writeErr: (text) => process.stderr.write(forTerminal(text)),
      outputError: (text, write) => write(`${wrapped(usageError(text), process.stderr, 2)}\n`),
    })
    .exitOverride()
    .hook('preAction', cacheCompiledCode);
  addAskOptions(
    fathom
      .command('ask')
      .description('ask a question; the answer goes to standard output')
      .argument('[question]', 'what to find out')
      .addHelpText('after', EXAMPLES),
  ).action(async (question: string | undefined, options: AskOptions) => {
    // Loaded on demand: `fathom runs` needs no engine.
    if (options.dryRun === true) {
      const { dryRun } = await import('./ask/dry-run.ts');
      process.exitCode = await dryRun({ question, options, console, interrupts });
      return;
    }
    if (options.detach === true) {
      const { detach } = await import('./ask/detach.ts');
      process.exitCode = await detach({ question, options, console });
      return;
    }
    const { ask } = await import('./ask/ask.ts');
    process.exitCode = await ask({ question, options, console, interrupts });
  });
  const end = (code: number): void => {
    process.exitCode = code;
  };
  const screens = [process.stderr, process.stdout];
  addChatCommand(fathom, { console, interrupts, end, exit, signals: process, screens });
  addRunCommands(fathom, { console, interrupts, end });
  addSessionCommands(fathom, { console, interrupts, end });
  addServeCommand(fathom, { console, interrupts, end });
  addMcpCommand(fathom, { console, interrupts, end });
  addWorkerCommand(fathom, { console, interrupts, end });
  addMachineCommands(fathom);
  addCacheCommands(fathom, { console });
  addCompletionCommands(fathom, { console });
  return fathom;
}

/** Commands about this machine: its REPLs, providers and models. */
function addMachineCommands(fathom: Command): void {
  fathom
    .command('doctor')
    .description('check REPLs, isolation and providers of this machine')
    .option('--json', 'print it as one JSON object')
    .action(async (options: { readonly json?: true }) => {
      // Loaded on demand: `ask` needs neither every backend nor its probe.
      const { doctor } = await import('./doctor/index.ts');
      process.exitCode = await doctor({ json: options.json === true, console });
    });
  fathom
    .command('models')
    .description('list models with their windows and prices, from the price table of this version')
    .argument('[text...]', 'only models whose name contains this')
    .option('--json', 'print one JSON array')
    .action(async (text: readonly string[], options: { readonly json?: true }) => {
      const { printModels } = await import('./doctor/models.ts');
      process.exitCode = printModels(text, options, console);
    });
}

/** An error of commander in the form of every other error. Commander may add a suggestion. */
function usageError(text: string): string {
  const message = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ');
  const sentence = message.charAt(0).toUpperCase() + message.slice(1).replace(/\.$/, '');
  const stop = sentence.endsWith('?)') ? '' : '.';
  return `fathom: ${sentence}${stop}${hintOf(sentence)} --help lists commands and options. [invalid-option]`;
}

/** Suggestions that commander does not make. */
function hintOf(sentence: string): string {
  if (/^Unknown command '[^']*\s[^']*'/.test(sentence)) return ' Did you mean fathom ask "question"?';
  const [, word = ''] = /^Too many arguments for 'list'.*: (\S+)$/.exec(sentence) ?? [];
  const near = word === '' ? undefined : closestTo(word, ['show', 'list']);
  return near === undefined ? '' : ` Did you mean fathom runs ${near}?`;
}

const EXAMPLES = `
Examples:
  fathom ask "Who wrote the letter in chapter 3?" -f novel.txt -m openai/gpt-5-mini
  fathom ask "Where is a retry missing?" -f 'src/**/*.ts' --sub-model openai/gpt-5-nano --max-cost 0.50
  journalctl -b | fathom ask "What failed first, and why?" -f - -m ollama/qwen3
  fathom ask "Which invoices are late?" -f invoices.csv -m http://host:8000/v1#model --price 0.25,2

Models: provider/model (fathom models lists them), base-url#model for any server with the API of OpenAI,
scripted:FILE plays replies, record:FILE:MODEL and replay:FILE record and play calls.
All options, limits and files: docs/cli.md, at https://www.npmjs.com/package/fathom-rlm
`;

/** Runs the command line; the exit code is the process's. */
export async function runProgram(): Promise<void> {
  // A reader that goes away (`| head`) ends the printing, not the process with a stack.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }

  try {
    await program().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed the error, or the help or version that the user asked for.
      process.exitCode = error.exitCode === 0 ? EXIT.answered : EXIT.usage;
    } else {
      printError(error, process.stderr);
      process.exitCode = exitCodeOfError(error);
    }
  }
}
