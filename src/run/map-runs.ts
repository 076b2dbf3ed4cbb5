/**
 * One query over many contexts, or many queries over one: a run for each, under one account.
 *
 * @module
 */
import { checkSignal, invalidOption, isObject, kindOf } from '../argument-checks.ts';
import type { Clock } from '../clock.ts';
import type { ContextInput } from '../context/index.ts';
import type { CompletionError, CompletionResult } from '../engine/result.ts';
import type { RunEvent } from '../event/event.ts';
import type { Usage } from '../ledger/index.ts';
import { DEFAULT_MAP_RUNS, type Limits, resolveLimits } from '../limits.ts';
import { checkOptionNames, type OptionNames } from '../option-names.ts';
import { mergeEvents } from './merge-events.ts';
import type { CompletionRequest, CompletionRun } from './run-handle.ts';
import { type SharedBudget, shareBudget } from './shared-budget.ts';

/** Either `queries` with at most one `context`, or `contexts` with one `query`; other fields as of a completion. */
export interface MapRequest<T = string> extends Omit<CompletionRequest<T>, 'query' | 'consensus'> {
  /** With `contexts`: the query that each run asks. */
  readonly query?: string;
  /** Several queries over one `context`: one run each. */
  readonly queries?: readonly string[];
  /** Several contexts, one run each. */
  readonly contexts?: readonly ContextInput[];
  /**
   * Limits of calls, tokens, money and time hold for all runs together, and each run may use all that is left; limits of
   * turns, sizes and the REPL hold for each run. Default: the Rlm's.
   */
  readonly limits?: Partial<Limits>;
  /** Most runs at work at once. Default 16, and never more than the `Rlm` has REPLs. */
  readonly concurrency?: number;
}

/** How one run ended. */
export type MapItem<T = string> =
  | { readonly ok: true; readonly index: number; readonly result: CompletionResult<T> }
  | { readonly ok: false; readonly index: number; readonly error: CompletionError };

/** The value of `await map`, after all runs have ended. */
export interface MapResult<T = string> {
  /** One per run, in the order of the request; runs that failed or were cancelled are included. */
  readonly items: readonly MapItem<T>[];
  /** Tokens and cost of all runs together. */
  readonly usage: Usage;
  /** Sub-calls of all runs together. */
  readonly subCalls: number;
  /** Milliseconds from start to end. */
  readonly elapsedMs: number;
}

/** Runs that have started: a promise of their results, and an iterable of their events; each event has its `runId`. */
export interface MapRun<T = string> extends PromiseLike<MapResult<T>>, AsyncIterable<RunEvent> {
  /** Stops all runs now; runs that have not begun send nothing. */
  cancel(reason?: string): void;
  /** Asks each run at work for its best answer; runs that have not begun are cancelled. */
  finish(reason?: string): void;
  /** As of a promise. It rejects only for an invalid request. */
  readonly catch: Promise<MapResult<T>>['catch'];
  /** As of a promise. */
  readonly finally: Promise<MapResult<T>>['finally'];
}

/** The parts of an `Rlm` that mapping uses. */
export interface MapParts {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly maxRuns: number;
  readonly start: <T>(request: CompletionRequest<T>, budget: SharedBudget) => CompletionRun<T>;
}

const NAMES: OptionNames<MapRequest> = {
  ...{ query: true, queries: true, context: true, contexts: true, output: true, limits: true, tools: true },
  ...{
    model: true,
    subModel: true,
    modelSettings: true,
    mode: true,
    evidence: true,
    checks: true,
    instructions: true,
    repl: true,
    signal: true,
    owner: true,
    seed: true,
    attachments: true,
    concurrency: true,
  },
};

/** Starts the runs, a few at a time. */
export function mapRuns<T>(request: MapRequest<T>, parts: MapParts): MapRun<T> {
  const events = mergeEvents();
  const running = new Set<CompletionRun<T>>();
  let stopped: { readonly reason: string | undefined } | undefined;
  const cancel = (reason?: string): void => {
    stopped ??= { reason };
    for (const run of running) run.cancel(reason);
  };
  const start = async (item: CompletionRequest<T>, index: number, budget: SharedBudget): Promise<MapItem<T>> => {
    const run = parts.start(item, budget);
    running.add(run);
    events.add(run);
    if (stopped !== undefined) run.cancel(stopped.reason);
    try {
      return { ok: true, index, result: await run };
    } catch (error) {
      return { ok: false, index, error: error as CompletionError };
    } finally {
      running.delete(run);
    }
  };
  const result = (async (): Promise<MapResult<T>> => {
    const startedAt = parts.clock.now();
    const { items, limits, atOnce } = plan(request, parts);
    const { signal } = request;
    const onAbort = (): void => cancel(String(signal?.reason));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const budget = shareBudget(limits, parts.clock);
    try {
      const ended = await inOrder(items, atOnce, (item, index) => start(item, index, budget));
      const { ledger } = budget;
      const elapsedMs = parts.clock.now() - startedAt;
      return { items: ended, usage: ledger.usage(), subCalls: ledger.subCalls, elapsedMs };
    } finally {
      budget.close();
      signal?.removeEventListener('abort', onAbort);
    }
  })().finally(events.end);
  // A caller who only watches the events must not have its process ended by an unhandled rejection.
  result.catch(() => undefined);
  return {
    cancel,
    finish(reason) {
      stopped ??= { reason: reason ?? 'finish was requested before the run began' };
      for (const run of running) run.finish(reason);
    },
    // biome-ignore lint/suspicious/noThenProperty: it is awaited like one call.
    then: (fulfilled, rejected) => result.then(fulfilled, rejected),
    catch: (rejected) => result.catch(rejected),
    finally: (ended) => result.finally(ended),
    [Symbol.asyncIterator]: () => events.subscribe(),
  };
}

interface Plan<T> {
  readonly items: readonly CompletionRequest<T>[];
  readonly limits: Limits;
  readonly atOnce: number;
}

/** @throws RlmError `invalid-option`, `invalid-limit` */
function plan<T>(request: MapRequest<T>, { limits: defaults, maxRuns }: MapParts): Plan<T> {
  if (!isObject(request))
    throw invalidOption(`map needs an object such as { query, contexts }; this is ${kindOf(request)}`);
  checkOptionNames('map', request, NAMES);
  checkSignal(request.signal);
  const { query, queries, context, contexts, concurrency, signal: _, ...rest } = request as MapRequest<T>;
  if ((queries === undefined) === (contexts === undefined))
    throw invalidOption('map needs either queries with one context, or contexts with one query');
  const [list, name] = queries === undefined ? [contexts, 'contexts'] : [queries, 'queries'];
  if (!Array.isArray(list)) throw invalidOption(`The ${name} of map must be a list; this is ${kindOf(list)}`);
  if (queries !== undefined && query !== undefined) throw invalidOption('map takes either query or queries, not both');
  if (contexts !== undefined && context !== undefined)
    throw invalidOption('map takes either context or contexts, not both: give a run several with contexts({ … })');
  if (concurrency !== undefined && !(Number.isSafeInteger(concurrency) && concurrency > 0))
    throw invalidOption(`The concurrency of map must be a whole number from 1; this is ${kindOf(concurrency)}`);
  const items =
    queries === undefined
      ? (contexts ?? []).map((one) => ({ ...rest, query: query ?? '', context: one }))
      : queries.map((one) => ({ ...rest, query: one, ...(context !== undefined && { context }) }));
  const atOnce = Math.min(concurrency ?? DEFAULT_MAP_RUNS, maxRuns);
  return { items, limits: resolveLimits(rest.limits, defaults), atOnce };
}

/** Works on a few items at a time. Returns the results in the order of the items. */
async function inOrder<A, B>(
  items: readonly A[],
  atOnce: number,
  work: (item: A, index: number) => Promise<B>,
): Promise<readonly B[]> {
  const results: B[] = [];
  const entries = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}
