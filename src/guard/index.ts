/**
 * `fathom-rlm/guard`: keeps large outputs of tools out of the window of a host's agent.
 *
 * @example
 * ```ts
 * import { wrapLanguageModel } from 'ai';
 * import { memoryParts } from 'fathom-rlm/compact';
 * import { guardMiddleware, toolOutputGuard } from 'fathom-rlm/guard';
 *
 * const guard = toolOutputGuard({ rlm, model: 'openai/gpt-5-mini', parts: memoryParts() });
 * const model = wrapLanguageModel({ model: agentModel, middleware: guardMiddleware(guard, { window: 128_000 }) });
 * ```
 *
 * @module
 */
export { EXACT_TOOLS } from './limits.ts';
export { guardMiddleware } from './middleware.ts';
export {
  type GuardedOutput,
  type GuardOptions,
  type ToolOutputGuard,
  type ToolOutputRequest,
  toolOutputGuard,
} from './output-guard.ts';
export { fileSummaries, memorySummaries, type SummaryRecord, type SummaryStore } from './summary-store.ts';
