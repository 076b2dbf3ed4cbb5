import type { StandardSchemaV1 } from '@standard-schema/spec';
import { sessionPlaces, type TreePlaces } from '../admission/tree-places.ts';
import { checkSchema, invalidOption } from '../argument-checks.ts';
import { createCallModel } from '../completion/call-model.ts';
import { type ContextInput, loadContext } from '../context/index.ts';
import { type ChildSlots, createChildSlots } from '../engine/child-slots.ts';
import type { Engine, RunIdentity } from '../engine/engine.ts';
import type { RestartPolicy } from '../engine/restart-policy.ts';
import type { RunContext } from '../engine/run.ts';
import { RlmError } from '../errors.ts';
import type { EventBus } from '../event/bus.ts';
import type { EventBody } from '../event/event.ts';
import type { JournalScope, Recovered } from '../journal/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Limits } from '../limits.ts';
import type { CallTree, ModelRef } from '../model/index.ts';
import { createModelPolicy, type ModelPolicy } from '../model/model-policy.ts';
import { answerType } from '../schema/answer-type.ts';
import type { CallModel } from '../subcall/paid-call.ts';
import { createToolbox, type ToolSet } from '../tools/toolbox.ts';
import type { RunFrame } from './frame.ts';

/** A completion as it was asked for, by a caller or by a cell of its parent. */
export interface RunRequest {
  readonly query: string;
  readonly context?: ContextInput | undefined;
  readonly output?: StandardSchemaV1 | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly tools?: ToolSet | undefined;
  readonly model?: ModelRef | undefined;
  readonly subModel?: ModelRef | readonly ModelRef[] | undefined;
}

/** What a child takes over from its parent. */
export interface ParentRun {
  readonly depth: number;
  readonly limits: Limits;
  readonly ledger: Ledger;
  readonly models: ModelPolicy;
  readonly tree: CallTree;
  /** Room for the children of the whole tree. */
  readonly children: ChildSlots;
  readonly events: EventBus;
  readonly restart: RestartPolicy | undefined;
  /** What the tree had done before it was interrupted. */
  readonly recovered: Recovered | undefined;
  /** The parent's own tools, inherited where the caller gave no `subTools`. */
  readonly tools: ToolSet;
}

export interface PrepareOptions {
  readonly engine: Engine;
  readonly request: RunRequest;
  readonly identity: RunIdentity;
  readonly events: EventBus;
  readonly parent: ParentRun | undefined;
  readonly frame: RunFrame;
  readonly journal: JournalScope;
  /** Room for the REPLs of children; of a root. Children have their parent's. */
  readonly places?: Pick<TreePlaces, 'enterChild'>;
  /** What an interrupted run had done before; of a root, which has that of its whole tree. */
  readonly recovered?: Recovered | undefined;
  /** For a root whose tree can begin again; children have their parent's. */
  readonly restart?: RestartPolicy | undefined;
  /** Serves model calls in place of the retry layer: for a replay that may ask nobody. */
  readonly callModel?: CallModel;
}

/** A run ready to start: everything that can be wrong with a request has been found. */
export interface PreparedRun {
  readonly run: RunContext;
  /** What children of the run take over. */
  readonly asParent: ParentRun;
}

/**
 * Checks the request and resolves its models and context: nothing is spent before all of it is right.
 *
 * @throws RlmError for everything that is wrong with the request
 */
export async function prepareRun(options: PrepareOptions): Promise<PreparedRun> {
  const { engine, request, identity, events, parent, frame } = options;
  const { limits, ledger, stop } = frame;
  checkQuery(request.query);
  checkSchema(request.output);
  const tools = toolsOf(options);
  const toolbox = createToolbox(tools);
  const models = await policyOf(options);
  const depth = parent === undefined ? 0 : parent.depth + 1;
  checkPrices(models, limits);
  const contexts = await loadContext(request.context);
  const tree = parent?.tree ?? engine.rates.openTree({ maxConcurrentCalls: limits.maxConcurrentCalls });
  const deadlines = { work: ledger.deadline, hard: ledger.hardDeadline };
  const emit = (event: EventBody): void => {
    events.emit(event);
    // What cannot be kept is not paid for either.
    if (events.failure !== undefined) stop.fail(events.failure);
  };
  const told = new Set<string>();
  const restart = parent === undefined ? options.restart : parent.restart;
  const run: RunContext = {
    journal: options.journal,
    restart,
    id: identity.runId,
    parentId: identity.parentRunId,
    depth,
    query: request.query,
    contexts,
    limits,
    ledger,
    clock: engine.clock,
    models,
    toolbox,
    answerType: request.output === undefined ? undefined : answerType(request.output),
    prompt: engine.defaults.prompt,
    requireInspection: engine.defaults.requireInspection,
    stop,
    emit,
    limitReached({ stop: limit, reason }, turn) {
      if (told.has(limit)) return;
      told.add(limit);
      emit({ type: 'limit.reached', limit, value: turn, message: reason });
    },
    callModel:
      options.callModel ?? createCallModel({ clock: engine.clock, limits, gate: tree.lane(), deadlines, models, emit }),
  };
  const children = parent?.children ?? createChildSlots(limits.maxConcurrentChildren, placesOf(options));
  const recovered = parent === undefined ? options.recovered : parent.recovered;
  return { run, asParent: { depth, limits, ledger, models, tree, children, events, restart, recovered, tools } };
}

function placesOf({ places, engine, frame }: PrepareOptions): Pick<TreePlaces, 'enterChild'> {
  return places ?? sessionPlaces(engine.places, childLevels(frame.limits));
}

/** Levels of children with REPLs of their own below a run: the last level of calls is flat. */
export function childLevels({ maxDepth }: Limits): number {
  return Math.max(0, maxDepth - 1);
}

function checkQuery(query: unknown): void {
  if (typeof query === 'string' && query.trim() !== '') return;
  throw invalidOption('A completion needs a query: a text that says what to find out about the context');
}

function toolsOf({ engine, request, parent }: PrepareOptions): ToolSet {
  if (request.tools !== undefined) return request.tools;
  return parent === undefined ? engine.defaults.tools : (engine.defaults.subTools ?? parent.tools);
}

async function policyOf({ engine, request, parent }: PrepareOptions): Promise<ModelPolicy> {
  if (parent !== undefined) return parent.models;
  const { defaults } = engine;
  return await createModelPolicy({
    model: request.model ?? defaults.model,
    subModel: request.subModel ?? defaults.subModel,
    allowedModels: defaults.allowedModels,
    fallbackToRootModel: defaults.fallbackToRootModel,
    resolve: engine.resolveModel,
  });
}

/** A limit on money needs the price of everything it pays for. */
function checkPrices(models: ModelPolicy, limits: Limits): void {
  if (limits.maxCostUsd === undefined || limits.maxCostUsd === Number.POSITIVE_INFINITY) return;
  for (let depth = 0; depth <= Math.min(limits.maxDepth, models.depths); depth++) {
    const model = models.at(depth);
    if (model.price !== undefined) continue;
    throw new RlmError({
      code: 'price-unknown',
      message: `maxCostUsd is set, but the price of ${model.id} is not known: give it in the option prices, or leave the limit out.`,
      userAction: true,
      data: { model: model.id },
    });
  }
}
