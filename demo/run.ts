import type { TextStream } from '../src/cli/screen/console.ts';
import { compact, counted, duration, money } from '../src/cli/screen/figures.ts';
import { wrapped } from '../src/cli/screen/layout.ts';
import type { Narrator } from '../src/cli/watch/narrator.ts';
import { createProgressView, type ProgressView } from '../src/cli/watch/progress-view.ts';
import { systemClock } from '../src/clock.ts';
import { defined } from '../src/defined.ts';
import {
  type CompletionResult,
  createRlm,
  fromFiles,
  type ModelPrice,
  type RlmOptions,
  type Store,
} from '../src/index.ts';
import { READER_MODEL, ROOT_MODEL, startDemoProvider } from './provider.ts';
import { ANSWER, type DemoAnswer, QUESTION } from './question.ts';
import { type Check, verify } from './verify.ts';

export interface DemoOptions {
  /** Folder of the novels. */
  readonly novels: string;
  readonly repl: NonNullable<RlmOptions['repl']>;
  readonly out: TextStream;
  readonly interactive: boolean;
  readonly narrator: Narrator;
  /** A real model instead of the recorded one. */
  readonly model?: string;
  readonly subModel?: string;
  /** Keeps the run, to be looked at. Default: in memory. */
  readonly store?: Store;
}

export interface DemoResult {
  readonly result: CompletionResult<DemoAnswer>;
  readonly checks: readonly Check[];
  /** Answered, and every check holds. */
  readonly verified: boolean;
}

/** Prices of gpt-5 and gpt-5-mini in USD per million tokens, to show what a run would cost: the demo spends nothing. */
const LIST_PRICES: Readonly<Record<string, ModelPrice>> = {
  [`openai-compatible/${ROOT_MODEL}`]: { input: 1.25, output: 10 },
  [`openai-compatible/${READER_MODEL}`]: { input: 0.25, output: 2 },
};

/** Asks the question about the novels, shows the run, and checks the answer by plain code. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const say = (line: string): void => void options.out.write(`${line}\n`);
  await using provider = await openModels(options);
  const print = (line: string): void => say(wrapped(line, options.out, 10));
  print(`Question: ${QUESTION}`);
  say(`Context:  the novels in ${options.novels}`);
  print(`Model:    ${provider.words}\n`);
  const view = createProgressView({ ...options, stream: options.out, clock: systemClock });
  const result = await complete(options, provider.models, view);
  say('');
  say(`Answer:   ${JSON.stringify(result.answer)}`);
  print(`Took:     ${took(result, provider.recorded)}\n`);
  const checks = result.answer === undefined ? [] : verify(result.answer, options.novels);
  say('Is it right? Checked by plain code over the whole text, without any model:');
  for (const { ok, says } of checks) say(wrapped(`  ${ok ? '✓' : '✗'} ${says}`, options.out, 4));
  const verified = result.outcome === 'converged' && checks.length > 0 && checks.every((check) => check.ok);
  say(verified ? '\nVerified.' : '\nNOT VERIFIED.');
  return { result, checks, verified };
}

async function complete(
  { novels, repl, store }: DemoOptions,
  models: Pick<RlmOptions, 'model' | 'subModel' | 'prices'>,
  view: ProgressView,
): Promise<CompletionResult<DemoAnswer>> {
  try {
    await using rlm = createRlm({ ...models, repl, ...defined({ store }), onEvent: (event) => view.event(event) });
    return await rlm.completion({ query: QUESTION, context: fromFiles('.', { cwd: novels }), output: ANSWER });
  } finally {
    view.end();
  }
}

interface DemoModels extends AsyncDisposable {
  readonly models: Pick<RlmOptions, 'model' | 'subModel' | 'prices'>;
  readonly recorded: boolean;
  readonly words: string;
}

async function openModels({ model, subModel }: DemoOptions): Promise<DemoModels> {
  if (model !== undefined) {
    return {
      models: { model, ...(subModel !== undefined && { subModel }) },
      recorded: false,
      words: subModel === undefined ? model : `${model}, sub-calls ${subModel}`,
      [Symbol.asyncDispose]: async () => undefined,
    };
  }
  const provider = await startDemoProvider();
  return {
    models: {
      model: `${provider.url}/v1#${ROOT_MODEL}`,
      subModel: `${provider.url}/v1#${READER_MODEL}`,
      prices: LIST_PRICES,
    },
    recorded: true,
    words: `recorded, served at ${provider.url} in OpenAI's wire format; nothing leaves this machine, nothing is paid`,
    [Symbol.asyncDispose]: () => provider.close(),
  };
}

function took({ turns, subCalls, usage, elapsedMs, isolation }: CompletionResult<unknown>, recorded: boolean): string {
  const root = usage.byDepth['0'];
  const sub = usage.byDepth['1'];
  return [
    `${counted(turns, 'turn')}, ${counted(subCalls, 'sub-call')}, ${duration(elapsedMs)}, isolation ${isolation}`,
    `the root model read ${compact(root?.inputTokens ?? 0)} tokens in all, sub-calls ${compact(sub?.inputTokens ?? 0)}`,
    recorded ? `${money(usage.costUsd)} at the list prices of gpt-5 and gpt-5-mini` : money(usage.costUsd),
  ].join('; ');
}
