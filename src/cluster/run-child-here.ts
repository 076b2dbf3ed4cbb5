import { replPlace } from '../admission/repl-places.ts';
import { runPlaces } from '../admission/tree-places.ts';
import { RestartPolicy, RestartTree } from '../engine/restart.ts';
import type { CompletionResult } from '../engine/result.ts';
import type { Engine, Run, RunStore } from '../engine/run.ts';
import { createEventBus } from '../event/bus.ts';
import { EPHEMERAL_EVENTS, type EventBody, type RunEvent } from '../event/event.ts';
import type { EventLog } from '../event/event-log.ts';
import { createJournal, type Journal, openJournal } from '../journal/index.ts';
import { recordedLimits } from '../limits.ts';
import { createModelPolicy } from '../model/model-policy.ts';
import type { JsonValue } from '../repl/port.ts';
import { runChild } from '../run/execute-run.ts';
import { childLevels, openRun, prepareRun } from '../run/open-run.ts';
import { processInWords } from '../store/lock-owner.ts';
import type { JournalEntry } from '../store/port.ts';
import { childRequest } from '../subcall/child-run.ts';
import { ToolError, type ToolSet } from '../tools/toolbox.ts';
import type { ChildJob } from './child-job.ts';
import type { ContentCache } from './content-cache.ts';
import type { RemoteParent } from './remote-parent.ts';
import { relayedPolicy } from './remote-policy.ts';
import { relayedRates } from './remote-rates.ts';

export interface ChildHere {
  readonly job: ChildJob;
  /** Those recorded, where it had begun. */
  readonly entries: readonly JournalEntry[];
  readonly parent: RemoteParent;
  readonly engine: Engine;
  readonly cache: ContentCache;
}

/**
 * Runs a child of another process as that process would: the same code, with a journal and events that go there. Where one of its REPLs
 * is killed from outside, the child alone is replayed from its journal, in new REPLs of this worker.
 */
export async function runChildHere(here: ChildHere): Promise<CompletionResult<unknown>> {
  const { job, parent } = here;
  const restart = new RestartPolicy();
  for (let { entries } = here; ; ) {
    try {
      return await runGeneration({ ...here, entries, restart });
    } catch (error) {
      if (!(error instanceof RestartTree) || parent.signal.aborted) throw error;
      const { runId, parentRunId } = job;
      const body: EventBody = { type: 'repl.restarted', reason: error.reason, lost: REPLAYED };
      await parent.ask('event', { runId, parentRunId, body });
      // As another worker would: its reservations and turns are given back there, and its log begins again.
      entries = await parent.hello();
      restart.restarted();
    }
  }
}

const REPLAYED = 'the child executes its cells again in a new REPL, with every answer that is paid for';

async function runGeneration({
  job,
  entries,
  parent,
  engine: own,
  cache,
  restart,
}: ChildHere & { readonly restart: RestartPolicy }): Promise<CompletionResult<unknown>> {
  const { signal } = parent;
  const engine = relayingEngine(own, job, parent);
  const { clock } = engine;
  const resumed = entries.length > 0;
  const options = { journalId: job.traceId, path: job.path, clock, store: relayingStore(parent, entries) };
  const journal: Journal = resumed ? await openJournal(options) : createJournal(options);
  const places = runPlaces({ places: engine.places, inSession: false, refusable: false });
  await places.enter({
    levels: childLevels(recordedLimits(job.limits) as Run['limits']),
    signal,
    onQueued: async () => undefined,
  });
  let closing: Promise<void> = Promise.resolve();
  try {
    const above = await runAbove(job, { engine, journal, parent, restart });
    const context = await cache.contextOf(job, parent);
    const asked = {
      kind: 'rlm' as const,
      query: job.query,
      ...(context !== undefined && { context }),
      ...(job.seed !== undefined && { seed: job.seed }),
      ...(job.output !== undefined && { output: job.output }),
    };
    const ownedForMs = (): number | Promise<number> => parent.ownedForMs();
    const relay = { append: () => Promise.resolve(), entries: () => Promise.resolve([]), ownedForMs };
    const child = { runId: job.runId, journal: journal.root, resumed, relay };
    const place = {
      ...replPlace(() => undefined),
      until: (closed: Promise<void>) => {
        closing = closed;
      },
    };
    return await runChild({
      parent: above,
      request: childRequest(asked),
      asked,
      models: above.models,
      child,
      place,
      signal,
    });
  } finally {
    await closing.catch(() => undefined);
    places.leave();
  }
}

interface Above {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly parent: RemoteParent;
  readonly restart: RestartPolicy;
}

/** The run above the child: it has the tree, the limits and the tools, and makes no calls of its own. */
async function runAbove(job: ChildJob, { engine, journal, parent, restart }: Above): Promise<Run> {
  const { models: refs, allowedModels, traceId, parentRunId } = job;
  const [model = '', ...subModel] = refs;
  const models = await createModelPolicy({
    ...{ model, subModel, allowedModels, fallbackToRootModel: false, resolve: engine.resolveModel },
  });
  const events = engine.openEvents({ runId: parentRunId, traceId });
  const { recovered } = journal;
  const open = openRun({
    ...{ engine, id: parentRunId, kind: 'session', events, journal: journal.root, recovered, restart },
    signal: parent.signal,
    request: {
      query: '',
      limits: recordedLimits(job.limits),
      tools: relayedTools(job, parent),
      prompt: job.prompt,
      requireInspection: job.requireInspection,
      modelSettings: job.modelSettings,
    },
  });
  const run = await prepareRun(open, models);
  return { ...run, depth: job.depth - 1, tree: { ...run.tree, id: traceId } };
}

/** Tools run on the machine of the caller. */
function relayedTools({ tools, values }: ChildJob, parent: RemoteParent): ToolSet {
  const functions = tools.map(({ name, description, parameters }) => {
    const call = async (
      args: unknown,
      given: { readonly toolCallId: string; readonly repeated: boolean },
    ): Promise<JsonValue> => {
      const { toolCallId, repeated } = given;
      const answer = (await parent.ask('tool', { name, args, toolCallId, repeated })) as unknown as ToolAnswer;
      if ('error' in answer) throw new ToolError(answer.error.name, answer.error.message);
      return answer.value;
    };
    return [name, Object.assign(call, { description, parameters })] as const;
  });
  return { ...values, ...Object.fromEntries(functions) };
}

type ToolAnswer =
  | { readonly value: JsonValue }
  | { readonly error: { readonly name: string; readonly message: string } };

/** The engine of this worker, whose events and records go to the process that asked. */
function relayingEngine(own: Engine, { policy }: ChildJob, parent: RemoteParent): Engine {
  const parents = new Map<string, string>();
  const runs: RunStore = {
    ...own.runs,
    async reopenLog(runId) {
      await parent.ask('reopen', { runId, parentRunId: parents.get(runId) ?? '' });
      return { tail: { lastSeq: 0, identities: [] } };
    },
  };
  return {
    ...own,
    worker: processInWords(),
    defaults: { ...own.defaults, policy: policy && relayedPolicy(policy, parent) },
    rates: relayedRates(parent, own.clock),
    runs,
    openEvents: ({ runId, traceId, parent: above }) => {
      if (above !== undefined) parents.set(runId, above.id);
      const { clock } = own;
      // The run above emits its events itself.
      if (above === undefined) return createEventBus({ runId, traceId, clock, onEvent: relayEphemeral });
      const store = { events: relayedEvents(parent) };
      return createEventBus({ runId, traceId, clock, store, parent: above.events, parentRunId: above.id });
    },
  };

  /** Progress is not worth waiting for. */
  function relayEphemeral(event: RunEvent): void {
    if (EPHEMERAL_EVENTS.has(event.type) && parents.has(event.runId))
      parent.ask('event', bodyOf(event)).catch(() => undefined);
  }
}

function relayedEvents(parent: RemoteParent): EventLog {
  const nothing = (): Promise<never> => Promise.reject(new Error('a worker reads no events'));
  return {
    append: async (event) => void (await parent.ask('event', bodyOf(event))),
    read: nothing,
    tail: nothing,
    truncate: () => nothing(),
  };
}

function bodyOf(event: RunEvent): { readonly runId: string; readonly parentRunId: string; readonly body: EventBody } {
  const { v: _, runId, parentRunId = '', traceId: __, seq: ___, time: ____, ...body } = event;
  return { runId, parentRunId, body: body as unknown as EventBody };
}

/** The journal of the process that asked. */
function relayingStore(
  parent: RemoteParent,
  entries: readonly JournalEntry[],
): Parameters<typeof createJournal>[0]['store'] {
  return {
    journal: {
      append: (_, entry, durability) => parent.append(entry, durability),
      read: () => Promise.resolve(entries),
    },
    flush: () => Promise.resolve(),
    ownedForMs: () => parent.ownedForMs(),
  };
}
