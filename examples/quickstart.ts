/**
 * A question about a file.
 *
 * In a clone, after `npm run build`:
 *
 *     OPENAI_API_KEY=… node examples/quickstart.ts demo/novels/emma.txt
 */
import { argv } from 'node:process';
import { createRlm, fromFile, type ModelRef } from 'fathom-rlm';

export async function quickstart(model: ModelRef, file: string): Promise<string> {
  const rlm = createRlm({ model, limits: { maxTurns: 15 } });
  try {
    const result = await rlm.completion({ query: 'Who informs Emma of the engagement?', context: fromFile(file) });
    console.log(`${result.outcome} after ${result.turns} turns and ${result.subCalls} sub-calls`);
    return result.text;
  } finally {
    await rlm.close();
  }
}

if (import.meta.filename === argv[1]) console.log(await quickstart('openai/gpt-5-mini', argv[2] ?? 'novel.txt'));
