/**
 * The texts the model reads: pure functions from facts to text.
 *
 * @module
 */
export { coachEmptyReply, SAFE_STEP } from './coach-empty-reply.ts';
export { traitsOf } from './context-traits.ts';
export {
  type CommandFeedback,
  feedbackMessage,
  type Note,
  noteText,
} from './feedback.ts';
export { firstMessage } from './first-message.ts';
export { type CellFacts, hintsFor } from './hints.ts';
export * as notes from './notes.ts';
export { type PromptOptions, systemPrompt } from './system-prompt.ts';
