import { keepConversionsForProcess } from '../../convert/conversion-cache.ts';
import { defined } from '../../defined.ts';
import { createRlm } from '../../rlm.ts';
import type { RunEstimate, RunPlan } from '../../run/run-plan.ts';
import { contextFromArguments } from '../context/context-arguments.ts';
import { EXIT, exitCodeOfError } from '../exit-codes.ts';
import { modeOf } from '../options/ask-options.ts';
import { applyConfig } from '../options/config.ts';
import { requiredModel } from '../options/models.ts';
import { takeQuestion } from '../options/question.ts';
import { rlmOptionsOf } from '../options/rlm-options.ts';
import { openToPlan } from '../options/store.ts';
import { printError } from '../screen/error-report.ts';
import { compact, counted, money } from '../screen/figures.ts';
import { wrapped } from '../screen/layout.ts';
import { inOptionWords } from '../screen/option-words.ts';
import { onOneLine, writeJson } from '../screen/terminal-text.ts';
import { errorJson } from '../watch/result-json.ts';
import { type Ask, outputOf, requestOf } from './ask.ts';

/** Prints the plan of a question on standard output. Resolves with the exit code; never rejects for a mistake of the user. */
export async function dryRun({ question, options, console, interrupts: watch }: Ask): Promise<number> {
  const { stdout, stderr } = console;
  const note = (line: string): void => {
    if (options.quiet !== true) stderr.write(`${wrapped(line, stderr, 2)}\n`);
  };
  const interrupts = watch(note);
  try {
    const plan = await planOf({ question, options, console, note, signal: interrupts.signal });
    if (options.json === true) writeJson(stdout, plan);
    else
      for (const [label, text] of planRows(plan))
        stdout.write(
          `${wrapped(`${label.padEnd(LABEL_COLUMNS)}${onOneLine(text, TEXT_CHARS)}`, stdout, LABEL_COLUMNS)}\n`,
        );
    return EXIT.answered;
  } catch (error) {
    if (options.json === true) writeJson(stdout, errorJson(error));
    if (interrupts.signal.aborted) stderr.write('fathom: stopped.\n');
    else printError(error, stderr);
    if (interrupts.terminated) return EXIT.terminated;
    return interrupts.signal.aborted ? EXIT.interrupted : exitCodeOfError(error);
  } finally {
    interrupts.dispose();
  }
}

interface Planning extends Omit<Ask, 'interrupts'> {
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

async function planOf({ question: asked, options: given, console, note, signal }: Planning): Promise<RunPlan> {
  const { question, options } = takeQuestion(asked, given);
  const config = applyConfig(console.env);
  const model = requiredModel(options.model, console.env, config);
  const output = await outputOf(options);
  if (options.store === false) keepConversionsForProcess();
  await using looking = openToPlan(options);
  const made = rlmOptionsOf({ model, options, config, env: console.env, note });
  // Piped input goes to the folder for temporary files until the plan is made.
  const { context, dispose } = await contextFromArguments({
    ...{ options, stdin: console.stdin, note, signal },
    ...defined({ mcpServers: config.mcpServers }),
  });
  try {
    await using rlm = createRlm({ ...made, store: looking.store });
    return await rlm.plan(
      requestOf({ question, context, output, signal, options: { ...options, ...modeOf(options, config) } }),
    );
  } finally {
    await dispose();
  }
}

/** Columns of the labels, and of the blanks behind them. */
const LABEL_COLUMNS = 14;
/** Longest text of a line. */
const TEXT_CHARS = 1_200;

/** The lines of the plan: labels and texts. */
function planRows(plan: RunPlan): readonly (readonly [string, string])[] {
  const { route, models, contexts, typical, worst, direct } = plan;
  const { tokens, window } = route;
  const sub = models.sub.map(({ id }) => id).join(', ');
  const size = plan.contextBytes === null ? 'size not known' : `${compact(plan.contextBytes)} bytes`;
  const kinds = contexts.map(({ name, type }) => `${name}: ${type}`).join(', ');
  const basis = typical.runs === 0 || typical.tokens === null ? '' : `, median of ${counted(typical.runs, 'like run')}`;
  const limit = direct === null ? '' : `; at most ${figures(direct)}`;
  return [
    ['mode', plan.mode],
    ['route', `${route.chosen}: ${route.reason}`],
    ...(tokens === null ? [] : [['direct call', `about ${compact(tokens)} tokens of input${limit}`] as const]),
    ['window', window === null ? 'not known' : `${compact(window)} tokens`],
    ['model', models.root.id],
    ['sub-calls', sub === '' ? 'none' : sub],
    ['context', `${kinds} (${size})`],
    ['typical', `${figures(typical)}${basis}`],
    ['worst case', figures(worst)],
  ];
}

function figures({ calls, tokens, costUsd, reasons }: RunEstimate): string {
  const why = reasons.length === 0 ? '' : ` (${reasons.map((reason) => inOptionWords(reason)).join('; ')})`;
  if (calls === null && tokens === null && costUsd === null) return `not known${why}`;
  const of = (figure: number | null, noun: string): string =>
    figure === null ? `${noun}s not known` : `${compact(figure)} ${noun}${figure === 1 ? '' : 's'}`;
  return `${of(calls, 'call')}, ${of(tokens, 'token')}, ${money(costUsd)}${why}`;
}
