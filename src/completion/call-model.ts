import type { Clock } from '../clock.ts';
import type { EventBody } from '../event/event.ts';
import { exactCost, usd } from '../ledger/money.ts';
import type { Limits } from '../limits.ts';
import { type AttemptRecord, type CallGate, callModel } from '../model/index.ts';
import type { ModelPolicy } from '../model/model-policy.ts';
import type { CallModel, PaidCall, PaidReply } from '../subcall/paid-call.ts';

/** What the model calls of one completion share. */
export interface CallOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  /** The completion's lane through rate control. */
  readonly gate: CallGate;
  /** Milliseconds since the epoch after which no call may run. */
  readonly deadlines: { readonly work: number; readonly hard: number };
  readonly models: Pick<ModelPolicy, 'inUse' | 'standIn'>;
  readonly emit: (event: EventBody) => void;
}

/** Binds the retry layer to a completion: each attempt is one `usage.recorded`, and a reply knows what it cost in all. */
export function createCallModel(options: CallOptions): CallModel {
  const { models, emit } = options;
  return async (call) => {
    const model = models.inUse(call.model);
    try {
      return await ask({ ...call, model }, options);
    } catch (error) {
      const other = models.standIn(model, error);
      if (other === undefined) throw error;
      if (other.fallback !== undefined) emit({ type: 'subcall.fallback', ...other.fallback });
      return await ask({ ...call, model: other.model }, options);
    }
  };
}

async function ask(call: PaidCall, { clock, limits, gate, deadlines, emit }: CallOptions): Promise<PaidReply> {
  let costUsd: number | null = 0;
  const { model, messages, maxOutputTokens, readText } = call;
  const reply = await callModel({
    model,
    request: { messages, maxOutputTokens, ...(readText !== undefined && { readText }) },
    account: call.account,
    gate,
    clock,
    deadline: call.purpose === 'final' ? deadlines.hard : deadlines.work,
    sendBy: call.sendBy,
    limits,
    signal: call.signal,
    onAttempt: (attempt) => {
      const cost = costOf(attempt);
      costUsd = costUsd === null || cost === null ? null : costUsd + cost;
      emit(usageEvent(call, attempt, cost));
    },
  });
  return { ...reply, costUsd };
}

function costOf({ model, usage }: AttemptRecord): number | null {
  return model.price === undefined ? null : usd(exactCost(model.price, usage));
}

function usageEvent(call: PaidCall, attempt: AttemptRecord, costUsd: number | null): EventBody {
  const { usage, outcome } = attempt;
  return {
    type: 'usage.recorded',
    model: attempt.model.id,
    purpose: call.purpose,
    depth: call.depth,
    attempt: attempt.attempt,
    ok: outcome.ok,
    ...(!outcome.ok && { code: outcome.error.code }),
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    ...(usage.cachedTokens !== undefined && { cachedTokens: usage.cachedTokens }),
    costUsd,
    estimated: usage.estimated,
    possiblyBilled: attempt.possiblyBilled,
  };
}
