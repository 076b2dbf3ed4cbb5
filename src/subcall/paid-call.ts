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
  /** Milliseconds since the Unix epoch after which nothing of it is sent any more. Default: as long as the run may. */
  readonly sendBy?: number | undefined;
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
