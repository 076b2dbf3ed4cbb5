import type { CallAccount } from '../ledger/index.ts';
import type { ChatMessage, Model, ModelReply, TextReader } from '../model/index.ts';

/** One model call as the engine asks for it: reserved, retried and settled by whoever serves it. */
export interface PaidCall {
  readonly model: Model;
  readonly messages: readonly ChatMessage[];
  readonly maxOutputTokens: number;
  readonly purpose: 'root' | 'sub' | 'final';
  /** The depth it is counted at. */
  readonly depth: number;
  readonly signal: AbortSignal;
  /** Where its attempts are paid from. */
  readonly account: CallAccount;
  readonly readText?: () => TextReader;
}

/** A reply and what it cost; `costUsd` is null when the price is unknown. */
export interface PaidReply extends ModelReply {
  readonly costUsd: number | null;
}

/** @throws ModelError, BudgetError */
export type CallModel = (call: PaidCall) => Promise<PaidReply>;
