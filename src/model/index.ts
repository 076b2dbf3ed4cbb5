/**
 * Models: references, one attempt over the wire, retries, rate control, prices.
 *
 * @example
 * ```ts
 * const model = resolveModel('openai/gpt-5');
 * const tree = createRateControl({ clock: systemClock }).openTree({ maxConcurrentCalls: 32 });
 * const reply = await callModel({ model, request, account, gate: tree.lane(), clock: systemClock, deadline, limits, signal });
 * ```
 *
 * @module
 */

export type { AttemptRecord, AttemptStart, CallRequest, ModelCall, RetryPolicy } from './call.ts';
export { callModel } from './call-model.ts';
export { type Adaptation, describeAdaptation } from './endpoint/refusal.ts';
export { estimateInput, estimateTokens } from './estimate-tokens.ts';
export { ModelError, type ModelErrorCode, type ModelFault } from './model-error.ts';
export type {
  CallUsage,
  ChatMessage,
  FinishReason,
  LanguageModel,
  Model,
  ModelPrice,
  ModelRef,
  ModelReply,
  ModelRequest,
  ReplyNotice,
  TextReader,
  ToolCall,
} from './port.ts';
export type { ModelFacts } from './prices.ts';
export type { CallGate, GatePass, GateSlot } from './rate/call-gate.ts';
export { type CallTree, createRateControl, type RateControl, type RateControlOptions } from './rate/rate-control.ts';
export { type ResolveOptions, resolveModel } from './resolve-model.ts';
