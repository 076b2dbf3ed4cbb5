import { defined } from '../defined.ts';
import type { Run } from '../engine/run.ts';
import type { EventBody } from '../event/event.ts';
import type { CallAccount } from '../ledger/index.ts';
import { settledCost, usd } from '../ledger/money.ts';
import {
  type AttemptRecord,
  type ChatMessage,
  callModel as callWithRetries,
  describeAdaptation,
  type Model,
  type ModelReply,
  type TextReader,
} from '../model/index.ts';
import { settingsAt } from '../model/model-settings.ts';

/** One model call of a run. Every attempt is reserved, recorded and settled. */
export interface PaidCall {
  readonly model: Model;
  readonly messages: readonly ChatMessage[];
  readonly maxOutputTokens: number;
  readonly purpose: 'root' | 'sub' | 'final' | 'summary';
  /** The depth at which the call is counted. */
  readonly depth: number;
  readonly signal: AbortSignal;
  /** Milliseconds since the Unix epoch after which no attempt is sent. Default: the run's deadline. */
  readonly sendBy?: number;
  /** The account that pays for its attempts. */
  readonly account: CallAccount;
  readonly readText?: () => TextReader;
  /** As in {@link callWithRetries}. */
  readonly mayRepeat?: () => boolean;
}

/** A reply and what it cost; `costUsd` is null when the price is unknown. */
export interface PaidReply extends ModelReply {
  readonly costUsd: number | null;
}

type CallingRun = Pick<
  Run,
  'modelSettings' | 'clock' | 'limits' | 'gate' | 'ledger' | 'models' | 'emit' | 'reportNotice'
>;

/**
 * Calls a model for a run: each attempt is one `usage.recorded`, and the reply has the cost of all of them. A sub-model
 * that its provider does not know is replaced where the caller allows it.
 *
 * @throws ModelError, BudgetError
 */
export async function callModel(call: PaidCall, run: CallingRun): Promise<PaidReply> {
  const model = run.models.inUse(call.model);
  try {
    return await ask({ ...call, model }, run);
  } catch (error) {
    const other = run.models.standIn(model, error);
    if (other === undefined) throw error;
    if (other.fallback !== undefined) run.emit({ type: 'subcall.fallback', ...other.fallback });
    return await ask({ ...call, model: other.model }, run);
  }
}

async function ask(call: PaidCall, run: CallingRun): Promise<PaidReply> {
  let costUsd: number | null = 0;
  const { clock, limits, gate, ledger, emit, modelSettings } = run;
  const { model, messages, maxOutputTokens, readText, account, sendBy, signal, mayRepeat } = call;
  const reply = await callWithRetries({
    model,
    account,
    gate,
    clock,
    limits,
    signal,
    ...defined({ sendBy, mayRepeat }),
    request: { messages, maxOutputTokens, ...defined({ settings: settingsAt(modelSettings, call.depth), readText }) },
    deadline: call.purpose === 'final' ? ledger.hardDeadline : ledger.deadline,
    onAttempt: (attempt) => {
      const cost = costOf(attempt);
      costUsd = costUsd === null || cost === null ? null : costUsd + cost;
      emit(usageEvent(call, attempt, cost));
      reportNotices(attempt, run);
    },
  });
  return { ...reply, costUsd };
}

/** Emits notices about a model: substitutions in its reply, and parameters that its endpoint refused for the first time. */
function reportNotices({ model, outcome }: AttemptRecord, run: CallingRun): void {
  if (outcome.ok) {
    for (const notice of outcome.reply.notices ?? []) run.reportNotice({ model: model.id, ...notice });
    return;
  }
  const { adaptation, data } = outcome.error;
  if (adaptation === undefined || data.adaptationIsNew !== true) return;
  run.reportNotice({
    model: model.id,
    kind: adaptation.kind,
    message: `${model.id}: ${describeAdaptation(adaptation)}`,
  });
}

function costOf({ model, usage }: AttemptRecord): number | null {
  const cost = settledCost(model.price, usage);
  return cost === undefined ? null : usd(cost);
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
    ...(!outcome.ok && { code: outcome.error.code, fault: outcome.error.fault }),
    ...(attempt.retryInMs !== undefined && { retryInMs: attempt.retryInMs }),
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    ...(usage.cachedTokens !== undefined && { cachedTokens: usage.cachedTokens }),
    costUsd,
    estimated: usage.estimated,
    possiblyBilled: attempt.possiblyBilled,
    durationMs: attempt.elapsedMs,
  };
}
