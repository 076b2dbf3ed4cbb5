import type { CallUsage } from '../model/port.ts';
import { nanoDollars, usd } from './money.ts';

/** The usage of a number of model calls. Every attempt that was sent is a call, also one that failed or was cancelled. */
export interface UsageTotals {
  /** Of all prompts, cached tokens included. */
  readonly inputTokens: number;
  /** Of all replies, reasoning included. */
  readonly outputTokens: number;
  /** Part of `inputTokens` that came from a provider's cache; absent when no provider spoke of it. */
  readonly cachedTokens?: number;
  /** US dollars; `null` when the price of any of these calls is unknown. */
  readonly costUsd: number | null;
  /** Attempts that were sent. */
  readonly calls: number;
  /** How many of the calls have estimated tokens, because the provider did not say. */
  readonly estimated: number;
  /** How many of the calls may have been charged for an answer that never arrived whole. */
  readonly possiblyBilled: number;
}

/** The usage of a completion and everything below it. The parts add up to the total. */
export interface Usage extends UsageTotals {
  /** By the model's id. */
  readonly byModel: Readonly<Record<string, UsageTotals>>;
  /** By the depth at which the calls ran: `'0'` is the root model's own. */
  readonly byDepth: Readonly<Record<string, UsageTotals>>;
}

/** The usage of several completions together. */
export function sumUsage(usages: readonly Usage[]): Usage {
  const merged = (of: (usage: Usage) => Readonly<Record<string, UsageTotals>>): Record<string, UsageTotals> => {
    const entries = usages.flatMap((usage) => Object.entries(of(usage)));
    const groups = Map.groupBy(entries, ([key]) => key);
    return Object.fromEntries([...groups].map(([key, members]) => [key, sumTotals(members.map(([, total]) => total))]));
  };
  return { ...sumTotals(usages), byModel: merged((usage) => usage.byModel), byDepth: merged((usage) => usage.byDepth) };
}

function sumTotals(parts: readonly UsageTotals[]): UsageTotals {
  const sum = (of: (part: UsageTotals) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const cached = parts.some((part) => part.cachedTokens !== undefined);
  return {
    inputTokens: sum((part) => part.inputTokens),
    outputTokens: sum((part) => part.outputTokens),
    ...(cached && { cachedTokens: sum((part) => part.cachedTokens ?? 0) }),
    costUsd: parts.some((part) => part.costUsd === null) ? null : usd(sum((part) => nanoDollars(part.costUsd ?? 0))),
    calls: sum((part) => part.calls),
    estimated: sum((part) => part.estimated),
    possiblyBilled: sum((part) => part.possiblyBilled),
  };
}

/** One call as it is booked. */
export interface BookedUsage {
  readonly modelId: string;
  readonly depth: number;
  readonly usage: CallUsage;
  /** Nano-dollars; `undefined` when the price is unknown. */
  readonly cost: number | undefined;
  readonly possiblyBilled: boolean;
}

interface Tally {
  readonly modelId: string;
  readonly depth: number;
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number | undefined;
  cost: number;
  unpriced: number;
  calls: number;
  estimated: number;
  possiblyBilled: number;
}

/** The calls of a completion and all below it, added up per model and depth. */
export class UsageBook {
  readonly #tallies = new Map<number, Map<string, Tally>>();

  add(call: BookedUsage): void {
    const tally = this.#tally(call.depth, call.modelId);
    const { usage } = call;
    tally.inputTokens += usage.inputTokens;
    tally.outputTokens += usage.outputTokens;
    if (usage.cachedTokens !== undefined) tally.cachedTokens = (tally.cachedTokens ?? 0) + usage.cachedTokens;
    if (call.cost === undefined) tally.unpriced += 1;
    else tally.cost += call.cost;
    tally.calls += 1;
    if (usage.estimated) tally.estimated += 1;
    if (call.possiblyBilled) tally.possiblyBilled += 1;
  }

  usage(): Usage {
    const tallies = [...this.#tallies.values()].flatMap((models) => [...models.values()]);
    return {
      ...totals(tallies),
      byModel: grouped(tallies, (tally) => tally.modelId),
      byDepth: grouped(tallies, (tally) => String(tally.depth)),
    };
  }

  #tally(depth: number, modelId: string): Tally {
    let models = this.#tallies.get(depth);
    if (models === undefined) {
      models = new Map();
      this.#tallies.set(depth, models);
    }
    let tally = models.get(modelId);
    if (tally === undefined) {
      tally = emptyTally(modelId, depth);
      models.set(modelId, tally);
    }
    return tally;
  }
}

function emptyTally(modelId: string, depth: number): Tally {
  return {
    modelId,
    depth,
    inputTokens: 0,
    outputTokens: 0,
    cachedTokens: undefined,
    cost: 0,
    unpriced: 0,
    calls: 0,
    estimated: 0,
    possiblyBilled: 0,
  };
}

function grouped(tallies: readonly Tally[], keyOf: (tally: Tally) => string): Record<string, UsageTotals> {
  const groups = Map.groupBy(tallies, keyOf);
  return Object.fromEntries([...groups].map(([key, members]) => [key, totals(members)]));
}

function totals(tallies: readonly Tally[]): UsageTotals {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  const cached = tallies.some((tally) => tally.cachedTokens !== undefined);
  return {
    inputTokens: sum((tally) => tally.inputTokens),
    outputTokens: sum((tally) => tally.outputTokens),
    ...(cached && { cachedTokens: sum((tally) => tally.cachedTokens ?? 0) }),
    costUsd: tallies.some((tally) => tally.unpriced > 0) ? null : usd(sum((tally) => tally.cost)),
    calls: sum((tally) => tally.calls),
    estimated: sum((tally) => tally.estimated),
    possiblyBilled: sum((tally) => tally.possiblyBilled),
  };
}
