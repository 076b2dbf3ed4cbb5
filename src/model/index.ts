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

export type { AttemptRecord, RetryPolicy } from './call.ts';
export { callModel } from './call-model.ts';
export { describeAdaptation } from './endpoint/refusal.ts';
export { estimateInput, estimateTokens } from './estimate-tokens.ts';
export { ModelError } from './model-error.ts';
export type {
  ChatMessage,
  Model,
  ModelPrice,
  ModelRef,
  ModelReply,
  TextReader,
} from './port.ts';

export type { CallGate } from './rate/call-gate.ts';
export { type CallTree, createRateControl, type RateControl } from './rate/rate-control.ts';
export { resolveModel } from './resolve-model.ts';
