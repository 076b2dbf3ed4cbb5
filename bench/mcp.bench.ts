/**
 * The MCP door: processor time of a call beside the same completion by the library alone, client included. The model is in the
 * process and answers at once; both are asked in turn, so that they share the noise of the machine.
 *
 * Run: `node bench/mcp.bench.ts`
 */
import { createRlm } from '../src/index.ts';
import { memoryStore } from '../src/store/index.ts';
import { scriptedModel } from '../src/test.ts';
import { call, connectTo } from '../test/mcp/harness.ts';
import { cpuOf, median, report } from './support/report.ts';

const ROUNDS = 60;
/** Rounds before those that count. */
const WARM = 15;
/** Milliseconds of processor time of client and server together. */
const BARS = { ask: 4, status: 2 } as const;
const TEXT = 'x'.repeat(20_000);

const store = memoryStore();
await using rlm = createRlm({ model: scriptedModel(() => '```python\nFINAL(len(context))\n```'), store });
await using pair = await connectTo({ rlm, store });
let asked = 0;
const ways = {
  completion: () => rlm.completion({ query: 'How long?', context: TEXT }),
  ask: () => {
    asked += 1;
    return call(pair.client, 'ask', { question: `How long? ${asked}`, text: TEXT });
  },
  status: () => call(pair.client, 'status'),
};
const times = { completion: [] as number[], ask: [] as number[], status: [] as number[] };
for (let round = 0; round < ROUNDS; round += 1) {
  for (const way of ['completion', 'ask', 'status'] as const) times[way].push(await cpuOf(ways[way]));
}
const middle = (way: keyof typeof times): number => median(times[way].slice(WARM));
console.log(`  rlm.completion alone: ${middle('completion').toFixed(2)} ms of processor time`);
report({
  name: 'ask, beside rlm.completion',
  measured: middle('ask') - middle('completion'),
  unit: 'ms',
  bar: BARS.ask,
});
report({ name: 'status', measured: middle('status'), unit: 'ms', bar: BARS.status });
