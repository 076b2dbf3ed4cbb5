import type { Route } from '../event/event.ts';
import type { Model } from '../model/index.ts';
import type { RunRecord, Store, StoredContext } from '../store/index.ts';
import type { PlanModels, TypicalRun } from './run-plan.ts';

/** Completed runs, the newest of the store, among which like ones are looked for: older ones say less. */
const PLAN_RUNS = 500;
/** Like runs that a median needs at least: one of fewer is the figure of a single run. */
const PLAN_LEAST_RUNS = 3;
/** How many times larger or smaller the context of a like run may be. */
const PLAN_CONTEXT_FACTOR = 2;

interface LikeRuns {
  readonly route: Route;
  /** Of the context; null when unknown. */
  readonly bytes: number | null;
  readonly models: PlanModels;
  readonly runs: Pick<Store['runs'], 'list'>;
}

/**
 * The medians of the like runs among the newest completed ones of the store: the same models, the same first route, and a
 * context of half to twice the size.
 */
export async function typicalOf({ route, bytes, models, runs }: LikeRuns): Promise<TypicalRun> {
  if (bytes === null) return unknown(0, 'the size of a projected context is not known');
  const completed = await runs.list({ status: 'completed', rootsOnly: true, limit: PLAN_RUNS });
  const like = completed.filter((record) => isLike(record, { route, bytes, models }));
  if (like.length < PLAN_LEAST_RUNS) {
    return unknown(like.length, `the store has ${like.length} like runs, and ${PLAN_LEAST_RUNS} are needed`);
  }
  const results = like.flatMap(({ result, request }) => (result === undefined ? [] : [{ ...result, request }]));
  const costs = results.map(({ costUsd }) => costUsd).filter((cost) => cost !== null);
  return {
    runs: results.length,
    calls: median(results.map(({ turns, subCalls, request }) => turns + subCalls + (isDirect(request) ? 1 : 0))),
    tokens: median(results.map(({ inputTokens, outputTokens }) => inputTokens + outputTokens)),
    costUsd: costs.length === results.length ? median(costs) : null,
    reasons: costs.length === results.length ? [] : ['the cost of a like run is not known'],
  };
}

function unknown(runs: number, reason: string): TypicalRun {
  return { runs, calls: null, tokens: null, costUsd: null, reasons: [reason] };
}

function isLike(
  { request, result, sessionId }: RunRecord,
  { route, bytes, models }: Omit<LikeRuns, 'runs' | 'bytes'> & { readonly bytes: number },
): boolean {
  if (result === undefined || sessionId !== undefined) return false;
  if (isDirect(request) !== (route.chosen === 'direct')) return false;
  const sub = request.subModels.map((id) => recordedName(id, request));
  if (recordedName(request.rootModel, request) !== nameOf(models.root)) return false;
  if (sub.length !== models.sub.length || !models.sub.every((model, index) => sub[index] === nameOf(model)))
    return false;
  const stored = storedBytes(request.contexts);
  return stored !== null && stored <= bytes * PLAN_CONTEXT_FACTOR && stored * PLAN_CONTEXT_FACTOR >= bytes;
}

/** The same id at another server is another model. */
function nameOf({ id, ref }: Model): string {
  return ref ?? id;
}

function recordedName(id: string, { references }: RunRecord['request']): string {
  return references?.[id] ?? id;
}

/** A record keeps the route that was chosen first. */
function isDirect({ route }: RunRecord['request']): boolean {
  return route?.chosen === 'direct';
}

function storedBytes(contexts: readonly StoredContext[]): number | null {
  let sum = 0;
  for (const context of contexts) {
    switch (context.kind) {
      case 'none':
        break;
      case 'text':
      case 'json':
        sum += context.blob.bytes;
        break;
      case 'file':
        sum += context.bytes;
        break;
      case 'files':
        for (const { bytes, blob } of context.documents) sum += bytes ?? blob?.bytes ?? 0;
        break;
      default:
        return null;
    }
  }
  return sum;
}

/** Of at least one figure; of an even number of them the upper one in the middle, which one of the runs has. */
function median(figures: readonly number[]): number {
  return [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0;
}
