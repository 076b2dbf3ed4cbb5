import type { LanguageModelV4Middleware, LanguageModelV4Prompt, LanguageModelV4ToolResultPart } from '@ai-sdk/provider';
import { estimateTokens } from '../model/estimate-tokens.ts';
import type { ToolOutputGuard } from './output-guard.ts';

/**
 * Middleware of the AI SDK (`wrapLanguageModel`) that guards the outputs of tools in every call: large ones are cut or become
 * placeholders, and a summary takes the place of its placeholder in the first call after it has ended.
 */
export function guardMiddleware(
  guard: ToolOutputGuard,
  { window }: { readonly window: number },
): LanguageModelV4Middleware {
  return {
    specificationVersion: 'v4',
    transformParams: async ({ params }) => ({ ...params, prompt: await guarded(params.prompt, { guard, window }) }),
  };
}

async function guarded(
  prompt: LanguageModelV4Prompt,
  { guard, window }: { readonly guard: ToolOutputGuard; readonly window: number },
): Promise<LanguageModelV4Prompt> {
  let used = 0;
  const messages: LanguageModelV4Prompt = [];
  for (const message of prompt) {
    if (message.role !== 'tool') {
      messages.push(message);
      used += estimateTokens(JSON.stringify(message.content));
      continue;
    }
    const content: typeof message.content = [];
    for (const part of message.content) {
      // The tokens before an output decide, so that an output reads the same in every later call.
      const next = part.type === 'tool-result' ? await guardedPart(part, { guard, window, used }) : part;
      used += estimateTokens(JSON.stringify(next));
      content.push(next);
    }
    messages.push({ ...message, content });
  }
  return messages;
}

async function guardedPart(
  part: LanguageModelV4ToolResultPart,
  { guard, ...sizes }: { readonly guard: ToolOutputGuard; readonly window: number; readonly used: number },
): Promise<LanguageModelV4ToolResultPart> {
  const { output, toolName: tool } = part;
  // Errors are short and matter word for word; files are not text.
  if (output.type !== 'text' && output.type !== 'json') return part;
  const text = output.type === 'text' ? output.value : JSON.stringify(output.value);
  const result = await guard.guardToolOutput({ tool, output: text, ...sizes });
  return result.kind === 'whole' ? part : { ...part, output: { type: 'text', value: result.text } };
}
