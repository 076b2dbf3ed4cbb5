/**
 * The texts the model reads: pure functions from facts to text.
 *
 * @module
 */
export { coachEmptyReply, SAFE_STEP } from './coach-empty-reply.ts';
export {
  type BudgetLeft,
  type CommandFeedback,
  type FeedbackInput,
  feedbackMessage,
  type Note,
  noteText,
  type TurnBudget,
} from './feedback.ts';
export { firstMessage } from './first-message.ts';
export { type CellFacts, hintsFor } from './hints.ts';
export * as notes from './notes.ts';
export { type PromptFacts, type PromptOptions, systemPrompt } from './system-prompt.ts';
