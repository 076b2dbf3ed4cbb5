/**
 * The plan of a run: its route and what it may cost, from its request alone.
 *
 * @module
 */
import { contextBytes } from '../context/context-text.ts';
import { checkContextNames, factsOf } from '../engine/bind-context.ts';
import type { Engine, Run } from '../engine/run.ts';
import type { Route } from '../event/event.ts';
import type { Model } from '../model/index.ts';
import { checkChoice } from '../repl/select.ts';
import type { Store } from '../store/index.ts';
import { attemptsOf } from './consensus.ts';
import { openRun, prepareRun } from './open-run.ts';
import { typicalOf } from './plan-typical.ts';
import { directWorst, worstCase } from './plan-worst.ts';
import { type CompletionRequest, givenRequest } from './run-handle.ts';
import type { PlanModels, PlannedModel, RunEstimate, RunPlan } from './run-plan.ts';

/**
 * Plans a completion: checks its request as the run does, and neither stores nor sends anything of it.
 *
 * @throws RlmError for every error in the request
 */
export async function planRun(
  asked: CompletionRequest<unknown>,
  { engine, runs }: { readonly engine: Engine; readonly runs: Pick<Store['runs'], 'list'> },
): Promise<RunPlan> {
  const { request: given, problem } = givenRequest(asked);
  const { signal, repl = 'auto', consensus, ...request } = given;
  const id = engine.newId();
  const open = openRun({
    ...{ engine, id, request, signal, problem },
    journal: engine.runs.createJournal(id).root,
    // A plan is not a run: its events are for no one.
    events: engine.openEvents({ runId: id, traceId: id, onlyTo: () => undefined }),
  });
  try {
    open.stop.throwIfStopped();
    const run = await prepareRun(open);
    open.stop.throwIfStopped();
    const route = run.route ?? loopAlways(run);
    if (route.chosen === 'loop') {
      checkChoice(repl);
      checkContextNames(run);
    }
    const models = await modelsOf(run);
    const bytes = isProjected(run) ? null : contextBytes(run.contexts);
    return {
      mode: request.mode ?? 'always',
      route,
      models: {
        root: facts(models.root),
        sub: models.sub.map(facts),
        allowed: models.allowed.map(facts),
      },
      contexts: factsOf(run),
      contextBytes: bytes,
      typical: await typicalOf({ route, bytes, models, runs }),
      worst: times(consensus, worstCase({ models, limits: run.limits, direct: route.chosen === 'direct' })),
      direct: route.chosen === 'direct' ? directWorst({ model: models.root, route, limits: run.limits }) : null,
    };
  } finally {
    open.ledger.close();
    open.events.close();
  }
}

/** With consensus, all attempts and a judge: tokens and money are those of one account. */
function times(consensus: number | undefined, worst: RunEstimate): RunEstimate {
  if (consensus === undefined) return worst;
  const attempts = attemptsOf(consensus) + 1;
  return { ...worst, calls: worst.calls === null ? null : worst.calls * attempts };
}

async function modelsOf({ models, limits, engine }: Run): Promise<PlanModels> {
  const depths = Math.min(limits.maxDepth, Math.max(1, models.depths));
  const root = models.at(0);
  const sub = Array.from({ length: depths }, (_, index) => models.at(index + 1));
  if (depths === 0) return { root, sub, allowed: [] };
  // One that cannot be resolved cannot be called either.
  const found = await Promise.allSettled(engine.defaults.allowedModels.map(engine.resolveModel));
  const allowed = found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  return { root, sub, allowed: allowed.filter((model) => model !== root && !sub.includes(model)) };
}

function loopAlways({ models }: Run): Route {
  return { chosen: 'loop', reason: 'the mode is always', tokens: null, window: models.at(0).contextTokens ?? null };
}

function facts({ id, contextTokens, price }: Model): PlannedModel {
  return { id, window: contextTokens ?? null, price: price ?? null };
}

function isProjected({ contexts }: Run): boolean {
  const all = contexts.kind === 'one' ? [contexts.context] : [...contexts.contexts.values()];
  return all.some(({ value, onDemand }) => value.kind === 'projection' || onDemand === true);
}
