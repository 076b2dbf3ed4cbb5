import { COMPACTION_KEPT_TURNS } from '../compact/limits.ts';
import type { Route } from '../event/event.ts';
import { ceilingCost, usd } from '../ledger/money.ts';
import type { Limits } from '../limits.ts';
import type { Model, ModelPrice } from '../model/index.ts';
import type { PlanModels, RunEstimate } from './run-plan.ts';

const NO_LIMIT = Number.POSITIVE_INFINITY;

/**
 * The most that the limits of a run allow. Every attempt, failed ones included, is reserved within `maxTokens`, so its tokens
 * at the dearest price of any model are the bound of its cost.
 */
export function worstCase(of: {
  readonly models: PlanModels;
  readonly limits: Limits;
  /** A direct call comes first. */
  readonly direct: boolean;
}): RunEstimate {
  const { models, limits, direct } = of;
  const reasons: string[] = [];
  const calls = finite(worstCalls(limits, direct), callsAreUnlimited(limits), reasons);
  const tokens = finite(limits.maxTokens, 'maxTokens is Infinity', reasons);
  return { calls, tokens, costUsd: worstCost(models, limits, reasons), reasons };
}

/** Replies of the root model, summaries of old turns, one last call at a limit, and sub-calls, each of which may be a child with turns of its own. */
function worstCalls({ maxTurns, maxDepth, maxSubCalls }: Limits, direct: boolean): number {
  // A summary leaves the newest turns as they are, so the first one may be due before the turn behind those and one old turn.
  const summaries = Math.max(0, maxTurns - COMPACTION_KEPT_TURNS - 1);
  const ofRoot = maxTurns + summaries + 1;
  // Infinity times 0 is not a number.
  const below = maxDepth === 0 || maxSubCalls === 0 ? 0 : maxSubCalls * (maxDepth >= 2 ? ofRoot : 1);
  return (direct ? 1 : 0) + ofRoot + below;
}

function callsAreUnlimited({ maxTurns }: Limits): string {
  return `${maxTurns === NO_LIMIT ? 'maxTurns' : 'maxSubCalls'} is Infinity`;
}

function worstCost({ root, sub, allowed }: PlanModels, limits: Limits, reasons: string[]): number | null {
  const { maxTokens, maxCostUsd = NO_LIMIT } = limits;
  const models = [...new Set([root, ...sub, ...allowed])];
  // A limit on money refuses the calls of a model whose cost cannot be known.
  const unpriced = models.filter(
    ({ price, reportsCost }) => price === undefined && (reportsCost || maxCostUsd === NO_LIMIT),
  );
  reasons.push(...unpriced.map(noPrice));
  if (unpriced.length > 0) return null;
  const costs = models.flatMap(({ price }) => (price === undefined ? [] : [allTokensAt(price, maxTokens)]));
  return finite(Math.min(Math.max(...costs), maxCostUsd), 'neither maxTokens nor maxCostUsd bounds the cost', reasons);
}

/** US dollars of so many tokens, as the ledger reserves them, if all of them were of the dearer kind. */
function allTokensAt(price: ModelPrice, tokens: number): number {
  const most = (count: number): number =>
    Math.max(ceilingCost(price, { input: count, output: 0 }), ceilingCost(price, { input: 0, output: count }));
  // Infinity times 0 is not a number.
  if (tokens === NO_LIMIT) return most(1_000_000) === 0 ? 0 : NO_LIMIT;
  return usd(most(tokens));
}

/** The most that one attempt of the direct call may use: what the ledger reserves for it. */
export function directWorst(of: {
  readonly model: Model;
  readonly route: Route;
  readonly limits: Limits;
}): RunEstimate {
  const { model, route, limits } = of;
  const reasons: string[] = [];
  const input = route.tokens ?? 0;
  const output = Math.min(limits.maxOutputTokens, model.maxOutputTokens ?? NO_LIMIT);
  const tokens = finite(input + output, 'maxOutputTokens is Infinity', reasons);
  if (model.price === undefined) reasons.push(noPrice(model));
  if (model.price === undefined || tokens === null) return { calls: 1, tokens, costUsd: null, reasons };
  return { calls: 1, tokens, costUsd: usd(ceilingCost(model.price, { input, output })), reasons };
}

function noPrice({ id, reportsCost }: Model): string {
  return `the price of ${id} is not known${reportsCost === true ? ' before its provider reports the cost of a call' : ''}`;
}

function finite(figure: number, reason: string, reasons: string[]): number | null {
  if (Number.isFinite(figure)) return figure;
  reasons.push(reason);
  return null;
}
