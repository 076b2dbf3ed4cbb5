/**
 * Folders and several named contexts, with a cheaper model for sub-calls and a limit on money.
 *
 * In a clone, after `npm run build`:
 *
 *     OPENAI_API_KEY=… node examples/files.ts src docs
 */
import { argv } from 'node:process';
import { contexts, createRlm, fromFiles, type ModelRef } from 'fathom-rlm';

export interface Models {
  readonly model: ModelRef;
  readonly subModel: ModelRef;
  /** US dollars; needs known prices. */
  readonly maxCostUsd?: number;
}

export async function undocumented(
  { model, subModel, maxCostUsd }: Models,
  code: string,
  docs: string,
): Promise<string> {
  const rlm = createRlm({ model, subModel, limits: { ...(maxCostUsd !== undefined && { maxCostUsd }) } });
  try {
    const { text, usage } = await rlm.completion({
      query: 'Which behaviours of the code do the documents not mention? Name the file of each.',
      // Two variables in the REPL, each a list of documents with .path and .text.
      context: contexts({ code: fromFiles(code, { ignore: ['**/*.test.ts'] }), docs: fromFiles(docs) }),
    });
    const cost = usage.costUsd === null ? 'unknown' : `$${usage.costUsd.toFixed(4)}`;
    console.log(`${usage.calls} calls, ${usage.inputTokens} tokens in, ${usage.outputTokens} out, cost ${cost}`);
    return text;
  } finally {
    await rlm.close();
  }
}

if (import.meta.filename === argv[1]) {
  const models: Models = { model: 'openai/gpt-5', subModel: 'openai/gpt-5-mini', maxCostUsd: 1 };
  console.log(await undocumented(models, argv[2] ?? 'src', argv[3] ?? 'docs'));
}
