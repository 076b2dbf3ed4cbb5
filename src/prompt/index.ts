/**
 * What the model reads: pure functions from facts to text.
 *
 * @module
 */
export {
  type BudgetLeft,
  type CommandFeedback,
  type FeedbackInput,
  feedbackMessage,
  type TurnBudget,
} from './feedback.ts';
export { firstMessage } from './first-message.ts';
export * as notes from './notes.ts';
export { type PromptFacts, type PromptOptions, systemPrompt } from './system-prompt.ts';
