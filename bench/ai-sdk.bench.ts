/**
 * The AI SDK door: processor time of a call beside the same completion by the library alone. The model is in the process and
 * answers at once; both are asked in turn, so that they share the noise of the machine.
 *
 * Run: `node bench/ai-sdk.bench.ts [python|pyodide]`
 */
import { pathToFileURL } from 'node:url';
import { generateText, streamText } from 'ai';
import { languageModel } from '../src/ai-sdk/index.ts';
import { createRlm, type ReplChoice } from '../src/index.ts';
import { scriptedModel } from '../src/test.ts';
import { cpuOf, median, report } from './support/report.ts';

const ROUNDS = 60;
/** Rounds before those that count. */
const WARM = 15;
/** Milliseconds of processor time that a call may take beside the completion; most of them are those of `ai` itself. */
const BARS = { doGenerate: 1, doStream: 1, generateText: 2, streamText: 6 } as const;
const PROMPT = `How long?\n${'x'.repeat(20_000)}`;

/** Prints the lines of one backend. */
export async function benchAiSdk(repl: ReplChoice = 'auto'): Promise<void> {
  await using rlm = createRlm({ repl, model: scriptedModel(() => '```python\nFINAL(len(context))\n```') });
  const model = languageModel(rlm);
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: PROMPT }] }];
  const ways: Readonly<Record<keyof typeof BARS | 'completion', () => PromiseLike<unknown>>> = {
    completion: () => rlm.completion({ query: 'How long?', context: PROMPT }),
    doGenerate: () => model.doGenerate({ prompt }),
    doStream: async () => {
      const { stream } = await model.doStream({ prompt });
      for await (const part of stream) if (part.type === 'error') throw part.error;
    },
    generateText: () => generateText({ model, prompt: PROMPT }),
    streamText: () => streamText({ model, prompt: PROMPT }).text,
  };
  const times = Object.fromEntries(Object.keys(ways).map((way) => [way, [] as number[]]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [way, work] of Object.entries(ways)) times[way]?.push(await cpuOf(work));
  }
  const middle = (way: string): number => median((times[way] ?? []).slice(WARM));
  console.log(`  rlm.completion alone: ${middle('completion').toFixed(2)} ms of processor time`);
  for (const [way, bar] of Object.entries(BARS)) {
    report({ name: `${way}, beside rlm.completion`, measured: middle(way) - middle('completion'), unit: 'ms', bar });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await benchAiSdk(process.argv[2] as ReplChoice | undefined);
}
