/**
 * Tools: functions of this process that the model's code can call, and a look at every event as it happens.
 *
 * In a clone, after `npm run build`:
 *
 *     OPENAI_API_KEY=… node examples/tools.ts
 */
import { argv } from 'node:process';
import { createRlm, type ModelRef } from 'fathom-rlm';
import { z } from 'zod';

const STOCK = new Map([
  ['lamp', 3],
  ['desk', 0],
  ['chair', 12],
]);

const tools = {
  /** An AI SDK tool: its schema checks the arguments, and cells may give them by keyword or by position. */
  stock_of: {
    description: 'How many of an article are in stock.',
    inputSchema: z.object({ article: z.string() }),
    execute: ({ article }: { article: string }) => STOCK.get(article) ?? 0,
  },
  /** A plain function with a description. */
  today: Object.assign(() => '2026-11-21', { description: 'The date, ISO 8601.' }),
  /** A value. */
  warehouses: ['north', 'south'],
};

export async function orderReport(model: ModelRef): Promise<string> {
  const rlm = createRlm({ model, tools });
  try {
    const run = rlm.completion({
      query: 'Which of these orders can be delivered today?',
      context: 'Order 1: two lamps.\nOrder 2: a desk.\nOrder 3: ten chairs.',
    });
    for await (const event of run) {
      if (event.type === 'tool.completed') console.log(`  ${event.name}: ${event.ok ? 'ok' : event.error}`);
    }
    return (await run).text;
  } finally {
    await rlm.close();
  }
}

if (import.meta.filename === argv[1]) console.log(await orderReport('openai/gpt-5-mini'));
