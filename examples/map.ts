/**
 * One question over many files, under one budget.
 *
 * In a clone, after `npm run build`:
 *
 *     OPENAI_API_KEY=… node examples/map.ts demo/novels/*.txt
 */
import { argv } from 'node:process';
import { createRlm, fromFile, type ModelRef } from 'fathom-rlm';

export async function eachFile(model: ModelRef, files: readonly string[]): Promise<readonly string[]> {
  const rlm = createRlm({ model });
  try {
    const { items } = await rlm.map({
      query: 'Who is the narrator?',
      contexts: files.map((file) => fromFile(file)),
      // Of all runs together.
      limits: { maxSubCalls: 100 },
    });
    return items.map((item) => (item.ok ? item.result.text : `failed: ${item.error.message}`));
  } finally {
    await rlm.close();
  }
}

if (import.meta.filename === argv[1]) console.log((await eachFile('openai/gpt-5-mini', argv.slice(2))).join('\n'));
