/**
 * The AI SDK door: a call beside the same completion by the library alone. The model is in the process and answers at once.
 *
 * Run: `node bench/ai-sdk.bench.ts [python|pyodide]`
 */
import { generateText, streamText } from 'ai';
import { languageModel, rlmTool } from '../src/ai-sdk/index.ts';
import { createRlm, type ReplChoice } from '../src/index.ts';
import { scriptedModel } from '../src/test.ts';
import { reportDoor } from './support/door-overhead.ts';

const PROMPT = `How long?\n${'x'.repeat(20_000)}`;

const repl = (process.argv[2] ?? 'auto') as ReplChoice;
await using rlm = createRlm({ repl, model: scriptedModel(() => '```python\nFINAL(len(context))\n```') });
const model = languageModel(rlm);
const { execute } = rlmTool(rlm);
const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: PROMPT }] }];
// Most of the time of generateText and streamText is that of `ai` itself.
await reportDoor(() => rlm.completion({ query: 'How long?', context: PROMPT }), {
  doGenerate: { ask: () => model.doGenerate({ prompt }), bar: 1 },
  doStream: {
    ask: async () => {
      const { stream } = await model.doStream({ prompt });
      for await (const part of stream) if (part.type === 'error') throw part.error;
    },
    bar: 1,
  },
  generateText: { ask: () => generateText({ model, prompt: PROMPT }), bar: 2 },
  streamText: { ask: () => streamText({ model, prompt: PROMPT }).text, bar: 6 },
  rlmTool: {
    ask: async () => {
      const call = { toolCallId: '1', messages: [], context: {} };
      const results = execute?.({ question: 'How long?', text: PROMPT }, call) as AsyncIterable<unknown>;
      for await (const _ of results);
    },
    bar: 1,
  },
});
