import { replPlace } from '../admission/repl-places.ts';
import { sessionPlaces, type TreePlaces } from '../admission/tree-places.ts';
import { checkOwner, checkSchema, checkSignal, invalidOption, kindOf } from '../argument-checks.ts';
import { ContextRoom, type ContextSet, loadAttachments, loadContext, loadSeeds } from '../context/index.ts';
import { createChildSlots } from '../engine/child-slots.ts';
import type { RestartPolicy } from '../engine/restart.ts';
import { type Engine, type OpenRun, RUN_MODES, type Run, type RunRequest, type RunTree } from '../engine/run.ts';
import { StopControl } from '../engine/stop-control.ts';
import type { EventBus } from '../event/bus.ts';
import type { EventBody, Route } from '../event/event.ts';
import type { JournalScope, Recovered } from '../journal/index.ts';
import { type BookedCall, type BudgetWarning, createLedger, hasKnownCost, priceUnknown } from '../ledger/index.ts';
import { type Limits, resolveLimits } from '../limits.ts';
import { createModelPolicy, type ModelPolicy } from '../model/model-policy.ts';
import { areModelSettings, MODEL_SETTINGS, type ModelSettings } from '../model/model-settings.ts';
import type { PromptOptions } from '../prompt/index.ts';
import { answerType } from '../schema/answer-type.ts';
import { createToolbox, type ToolSet } from '../tools/toolbox.ts';
import type { SharedBudget } from './shared-budget.ts';

/** How a run is opened. A child is opened with its `parent`, and shares its tree, limits and budget. */
export interface OpenRunOptions {
  readonly engine: Engine;
  readonly id: string;
  readonly request: RunRequest;
  readonly journal: JournalScope;
  readonly events: EventBus;
  readonly signal: AbortSignal | undefined;
  readonly parent?: Run;
  /** Default `completion`. */
  readonly kind?: OpenRun['kind'];
  readonly sessionId?: string;
  readonly restart?: RestartPolicy;
  /** Spending and progress of an interrupted run; a root's are those of its whole tree. */
  readonly recovered?: Recovered;
  readonly resumed?: OpenRun['resumed'];
  readonly places?: TreePlaces;
  /** An error in the request that is already known. */
  readonly problem?: OpenRun['problem'];
  /** The account it shares with other roots. Default: its own. */
  readonly budget?: SharedBudget;
  readonly startedAt?: number;
}

/** Opens a run at once. Invalid limits or an invalid signal reject it later, like every other error of the request. */
export function openRun(options: OpenRunOptions): OpenRun {
  const { engine, parent, events, id } = options;
  const { clock } = engine;
  const { limits, signal, problem = options.problem } = accepted(options);
  const onWarning = (warning: BudgetWarning): void => events.emit({ type: 'budget.warning', ...warning });
  const ledger =
    parent?.ledger.child({ limits }) ??
    options.budget?.open(limits, onWarning) ??
    createLedger({ limits, clock, onWarning, elapsedMs: options.recovered?.elapsedMs ?? 0 });
  const stop = new StopControl(ledger, signal);
  const emit = (event: EventBody): void => {
    events.emit(event);
    // A run whose events cannot be stored must not spend anything.
    if (events.failure !== undefined) stop.fail(events.failure);
  };
  const reported = new Set<string>();
  return {
    id,
    engine,
    clock,
    parent,
    events,
    limits,
    ledger,
    stop,
    emit,
    problem,
    request: options.request,
    journal: options.journal,
    kind: options.kind ?? 'completion',
    depth: parent === undefined ? 0 : parent.depth + 1,
    tree: parent?.tree ?? openTree(options, limits),
    sessionId: options.sessionId,
    resumed: options.resumed,
    places: options.places,
    startedAt: options.startedAt ?? clock.now(),
    reportLimit({ stop: limit, reason }, turn) {
      if (reported.has(limit)) return;
      reported.add(limit);
      emit({ type: 'limit.reached', limit, value: turn, message: reason });
    },
    reportNotice(notice) {
      if (parent !== undefined) {
        parent.reportNotice(notice);
        return;
      }
      const key = `${notice.model} ${notice.kind}`;
      if (reported.has(key)) return;
      reported.add(key);
      emit({ type: 'model.notice', ...notice });
    },
  };
}

function openTree({ engine, id, restart, recovered, places, budget }: OpenRunOptions, limits: Limits): RunTree {
  const calls = engine.rates.openTree({ maxConcurrentCalls: limits.maxConcurrentCalls });
  const room = engine.childrenElsewhere
    ? NO_ROOM_NEEDED
    : (places ?? sessionPlaces(engine.places, childLevels(limits)));
  return {
    id,
    calls,
    children: createChildSlots(limits.maxConcurrentChildren, room),
    restart,
    recovered,
    sharesBudget: budget !== undefined,
  };
}

/** Children of other processes have their REPLs there. */
const NO_ROOM_NEEDED: Pick<TreePlaces, 'enterChild'> = { enterChild: async () => replPlace(() => undefined) };

/** Levels of children with their own REPLs below a run: the last level of calls is flat. */
export function childLevels({ maxDepth }: Pick<Limits, 'maxDepth'>): number {
  return Math.max(0, maxDepth - 1);
}

/** The limits and the signal to run under; the `Rlm`'s limits, and no signal, where the given ones are invalid. */
function accepted({
  engine,
  request,
  parent,
  signal,
}: OpenRunOptions): Pick<OpenRun, 'limits' | 'problem'> & { readonly signal: AbortSignal | undefined } {
  const base = parent?.limits ?? engine.defaults.limits;
  try {
    checkSignal(signal);
    return { limits: resolveLimits(request.limits, base), signal, problem: undefined };
  } catch (error) {
    return { limits: base, signal: undefined, problem: { error } };
  }
}

/**
 * Checks the request and resolves its models and context, before anything is spent.
 *
 * @param models a child's or a replay's; default: those of the request
 * @throws RlmError for every error in the request
 */
export async function prepareRun(open: OpenRun, models?: ModelPolicy): Promise<Run> {
  const { request, engine, limits, parent } = open;
  if (open.problem !== undefined) throw open.problem.error;
  if (open.kind === 'completion') checkQuery(request.query);
  checkSchema(request.output);
  checkOwner(request.owner);
  checkMode(open);
  const tools = toolsOf(open);
  const toolbox = createToolbox(tools);
  const policy = models ?? (await policyOf(open));
  // A replay pays nothing, and prices may have changed since the run.
  if (open.journal.unrecorded === 'run') checkPrices(policy, limits);
  const contexts = await loadContext(request.context, ContextRoom.of(limits));
  const run = {
    ...open,
    query: request.query,
    contexts,
    seeds: await loadSeeds(request.seed),
    attachments: await loadAttachments(request.attachments),
    models: policy,
    tools,
    toolbox,
    ...(await answerRules(open, contexts)),
    prompt: request.prompt ?? parent?.prompt ?? promptOf(open),
    modelSettings: settingsOf(open),
    requireInspection: request.requireInspection ?? parent?.requireInspection ?? engine.defaults.requireInspection,
    gate: open.tree.calls.lane(),
  };
  return { ...run, route: await routeOf(run) };
}

/** The type of the answer and its review. The code of evidence is loaded where a run needs it. */
async function answerRules({ request }: OpenRun, contexts: ContextSet): Promise<Pick<Run, 'answerType' | 'review'>> {
  const type = request.output === undefined ? undefined : answerType(request.output);
  if (request.evidence === undefined && request.checks === undefined) return { answerType: type, review: undefined };
  const { reviewAnswers } = await import('../evidence/answer-review.ts');
  return reviewAnswers(request, { contexts, type });
}

/** A resumed run keeps its route: what is known of the model may have changed. The code is loaded where a run needs it. */
async function routeOf(run: Omit<Run, 'route'>): Promise<Route | undefined> {
  const { route, mode = 'always' } = run.request;
  if (route !== undefined || mode === 'always') return route;
  const { chooseRoute } = await import('./route.ts');
  return await chooseRoute(run, mode);
}

/** @throws RlmError `invalid-option` */
function checkMode({ request: { mode }, sessionId }: OpenRun): void {
  if (mode === undefined || mode === 'always') return;
  if (!RUN_MODES.includes(mode))
    throw invalidOption(`The option mode has to be ${RUN_MODES.join(', ')}, not ${kindOf(mode)}`);
  if (sessionId !== undefined) {
    throw invalidOption(
      `A completion of a session works in its REPL: leave the option mode out, or ask rlm.completion`,
    );
  }
}

function checkQuery(query: unknown): void {
  if (typeof query === 'string' && query.trim() !== '') return;
  throw invalidOption('A completion needs a query: a text that says what to find out about the context');
}

/** @throws RlmError `invalid-option` */
function promptOf({ engine, request: { instructions } }: OpenRun): PromptOptions {
  const { prompt } = engine.defaults;
  if (instructions === undefined) return prompt;
  if (typeof instructions !== 'string') {
    throw invalidOption(`The option instructions has to be a text, not ${kindOf(instructions)}`);
  }
  const all = [...(prompt.instructions === undefined ? [] : [prompt.instructions]), instructions];
  return { ...prompt, instructions: all.join('\n\n') };
}

/** @throws RlmError `invalid-option` */
function settingsOf({ engine, request, parent }: OpenRun): ModelSettings {
  const settings = request.modelSettings ?? parent?.modelSettings ?? engine.defaults.modelSettings;
  if (!areModelSettings(settings)) throw invalidOption(`The option modelSettings has to be ${MODEL_SETTINGS}`);
  return settings;
}

function toolsOf({ engine, request, parent }: OpenRun): ToolSet {
  if (request.tools !== undefined) return request.tools;
  return parent === undefined ? engine.defaults.tools : (engine.defaults.subTools ?? parent.tools);
}

async function policyOf({ engine, request }: OpenRun): Promise<ModelPolicy> {
  const { defaults } = engine;
  return await createModelPolicy({
    model: request.model ?? defaults.model,
    subModel: request.subModel ?? defaults.subModel,
    allowedModels: defaults.allowedModels,
    fallbackToRootModel: defaults.fallbackToRootModel,
    resolve: engine.resolveModel,
  });
}

/** @throws RlmError `price-unknown` */
function checkPrices(models: ModelPolicy, { maxCostUsd, maxDepth }: Limits): void {
  if (maxCostUsd === undefined || maxCostUsd === Number.POSITIVE_INFINITY) return;
  for (let depth = 0; depth <= Math.min(maxDepth, models.depths); depth++) {
    const model = models.at(depth);
    if (!hasKnownCost(model)) throw priceUnknown(model);
  }
}

type Attempts = Recovered['attempts'];

/**
 * Counts earlier spending of an interrupted tree in a run's ledger, before anything new is spent. The root's ledger has
 * it for the whole tree; a child counts its part in its own ledger only.
 */
export async function bookRecovered(run: Run): Promise<void> {
  const { recovered } = run.tree;
  if (recovered === undefined) return;
  if (run.parent !== undefined) return await recallOwn(run, recovered);
  // A run that is restarted beside others: their common account already contains its spending.
  if (run.tree.sharesBudget) return run.ledger.recall(await booked(run, recovered.attempts), recovered.subCalls);
  for (let count = 0; count < recovered.subCalls; count++) {
    const ticket = run.ledger.openSubCall();
    if ('sent' in ticket) ticket.sent();
  }
  for (const call of await booked(run, recovered.attempts)) run.ledger.book(call);
}

async function recallOwn(run: Run, { attempts }: Recovered): Promise<void> {
  const { path } = run.journal;
  const below = `${path}>`;
  const own = attempts.filter(({ scope }) => scope === path || scope.startsWith(below));
  if (own.length === 0) return;
  const calls = own.filter(({ kind }) => kind === 'sub').map(({ key }) => key);
  const children = own.map(({ scope }) => scope).filter((scope) => scope !== path);
  run.ledger.recall(await booked(run, own), new Set([...calls, ...children]).size);
}

async function booked(run: Run, attempts: Attempts): Promise<readonly BookedCall[]> {
  const ids = [...new Set(attempts.map(({ model }) => model))];
  const found = await Promise.all(ids.map((id) => run.models.withId(id)));
  const models = new Map(ids.map((id, index) => [id, found[index]]));
  return attempts.map(({ model: id, scope, kind, settlement }) => ({
    // A model that is not available any more has an unknown price.
    model: models.get(id) ?? { id, price: undefined },
    depth: depthOf(scope, kind),
    ...settlement,
  }));
}

/** The depth of a call: one for each child in its scope, and one more for a call of the sub-model. */
function depthOf(scope: string, kind: Attempts[number]['kind']): number {
  const children = scope === '' ? 0 : scope.split('>').length;
  return children + (kind === 'sub' || kind === 'compaction' ? 1 : 0);
}
