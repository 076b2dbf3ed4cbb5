/**
 * An agent of the AI SDK that asks a folder of any size by one tool.
 *
 * In a clone, after `npm run build`, with a model of the AI SDK's gateway for the agent:
 *
 *     AI_GATEWAY_API_KEY=… OPENAI_API_KEY=… node examples/agent.ts docs "Which exit codes are there?"
 */
import { argv } from 'node:process';
import { type LanguageModel, ToolLoopAgent } from 'ai';
import { createRlm, type Rlm } from 'fathom-rlm';
import { rlmTool } from 'fathom-rlm/ai-sdk';

export async function askFolder(model: LanguageModel, rlm: Rlm, folder: string, question: string): Promise<string> {
  const agent = new ToolLoopAgent({
    model,
    instructions: 'Answer from the files. Ask for all you need in one question.',
    tools: { ask_files: rlmTool(rlm, { roots: [folder], limits: { maxCostUsd: 1 } }) },
  });
  const { text } = await agent.generate({ prompt: question });
  return text;
}

if (import.meta.filename === argv[1]) {
  const rlm = createRlm({ model: 'openai/gpt-5-mini' });
  try {
    console.log(await askFolder('openai/gpt-5-mini', rlm, argv[2] ?? '.', argv[3] ?? 'What is this about?'));
  } finally {
    await rlm.close();
  }
}
