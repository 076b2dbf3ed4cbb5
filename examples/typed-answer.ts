/**
 * A typed answer: any Standard Schema (here zod) checks it inside the loop, and the model repairs what does not fit.
 *
 * In a clone, after `npm run build`:
 *
 *     OPENAI_API_KEY=… node examples/typed-answer.ts
 */
import { argv } from 'node:process';
import { createRlm, type ModelRef } from 'fathom-rlm';
import { z } from 'zod';

export interface Report {
  readonly total: number;
  readonly unpaid: readonly string[];
}

const REPORT: z.ZodType<Report> = z.object({
  total: z.number().describe('sum of all paid invoices'),
  unpaid: z.array(z.string()).describe('ids of unpaid invoices'),
});

const INVOICES = [
  { id: 'A-1', amount: 120, note: 'paid in full, thank you' },
  { id: 'A-2', amount: 80, note: 'reminder sent twice' },
  { id: 'A-3', amount: 40.5, note: 'received by bank transfer' },
];

export async function typedAnswer(model: ModelRef): Promise<Report | undefined> {
  const rlm = createRlm({ model });
  try {
    const result = await rlm.completion({
      query: 'What was paid in total, and which invoices are unpaid? The notes say what happened.',
      context: INVOICES,
      output: REPORT,
    });
    if (result.outcome === 'exhausted') console.warn(`Not sure: ${result.reason}`);
    return result.answer;
  } finally {
    await rlm.close();
  }
}

if (import.meta.filename === argv[1]) console.log(await typedAnswer('openai/gpt-5-mini'));
