/**
 * Fathom in the AI SDK (`ai`): an `Rlm` as a language model, and as a tool of other agents.
 *
 * @example
 * ```ts
 * import { generateText } from 'ai';
 * import { createRlm } from 'fathom-rlm';
 * import { languageModel } from 'fathom-rlm/ai-sdk';
 *
 * const rlm = createRlm({ model: 'openai/gpt-5' });
 * const { text } = await generateText({ model: languageModel(rlm), prompt: `Who wrote the letter?\n\n${novel}` });
 * ```
 *
 * @module
 */
export {
  type AskedRequest,
  type DoorMessage,
  type DoorPart,
  type MessageRule,
  requestFromMessages,
} from '../door/messages.ts';
export { type LanguageModelOptions, languageModel } from './language-model.ts';
export {
  type RlmToolAnswer,
  type RlmToolOptions,
  type RlmToolOutput,
  type RlmToolProgress,
  rlmTool,
} from './rlm-tool.ts';
export type { RlmToolInput } from './tool-input.ts';
