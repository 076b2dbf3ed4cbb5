import type { ReplPlace } from '../admission/tree-places.ts';
import { lookAtFile } from '../context/from-file.ts';
import type { ContextSource } from '../context/index.ts';
import { contextSource } from '../context/input.ts';
import { previewText } from '../context/preview.ts';
import type { Engine, RunIdentity } from '../engine/engine.ts';
import { CompletionError, type CompletionResult } from '../engine/result.ts';
import type { SubCallTicket, Usage } from '../ledger/index.ts';
import { ModelError } from '../model/index.ts';
import type { ModelPolicy } from '../model/model-policy.ts';
import type { GuestValue, SubCallReply } from '../repl/port.ts';
import { jsonSchema } from '../schema/json-schema-answer.ts';
import { ChildStopped } from '../subcall/child-stopped.ts';
import type { ChildReply, ChildRequest } from '../subcall/context.ts';
import { placeFor } from '../subcall/place.ts';
import { failedReply } from '../subcall/reply.ts';
import { runCompletion } from './execute-run.ts';
import { openFrame } from './frame.ts';
import type { ParentRun } from './open-run.ts';

/** The parent of a child, as far as starting one needs it. */
export interface ChildOptions {
  readonly engine: Engine;
  readonly parent: ParentRun;
  readonly identity: RunIdentity;
}

/**
 * Runs a child completion: its own REPL, query and context, its own limits inside the tree's. Resolves for failures of
 * the child; what an exhausted child found comes with `ok: false`.
 *
 * @throws BudgetError when no sub-call is left
 * @throws ChildStopped when it was stopped together with the run it belongs to
 */
export async function runChild(child: ChildRequest, options: ChildOptions): Promise<ChildReply> {
  const { parent } = options;
  const models = await withRoot(parent.models, child.model, parent.depth + 1);
  const ticket = placeFor(child.step, parent);
  try {
    const place = await parent.children.enter(parent.depth + 1, child.signal);
    try {
      return await runIn(child, ticket, { ...options, parent: { ...parent, models }, place });
    } finally {
      place.leave();
    }
  } finally {
    ticket.close();
  }
}

async function runIn(
  child: ChildRequest,
  ticket: SubCallTicket,
  { engine, parent, identity, place }: ChildOptions & { readonly place: ReplPlace },
): Promise<ChildReply> {
  const { runId, journal, resumed } = child.step.child(engine.newId());
  const own: RunIdentity = { runId, parentRunId: identity.runId, traceId: identity.traceId };
  const log = resumed ? await engine.keeper.reopen(runId) : undefined;
  const events = engine.openEvents(own, { parent: parent.events, ...(log !== undefined && { tail: log.tail }) });
  // Its attempts in flight are told of once, by the root.
  if (log?.previous !== undefined) {
    const { recordedSteps } = journal;
    events.emit({ type: 'run.resumed', recordedSteps, possiblyBilled: 0, previous: log.previous });
  }
  const frame = openFrame({ engine, limits: undefined, events, parent, signal: child.signal });
  ticket.sent();
  const request = {
    query: child.query,
    context: child.context === undefined ? undefined : guestContext(child.context),
    output: child.output === undefined ? undefined : jsonSchema(child.output),
  };
  try {
    const result = await runCompletion({ engine, request, identity: own, events, parent, frame, journal, place });
    return { reply: replyOf(result, child), trajectory: result.trajectory };
  } catch (error) {
    // A child stopped by its parent, or by what stops the whole run, is no result: it runs on when the run is resumed.
    if (!(error instanceof CompletionError)) throw error;
    const gained = { usage: usageOf(error.result.usage), trajectory: error.result.trajectory };
    if (child.signal.aborted) throw new ChildStopped(error, gained);
    if (error.cause instanceof ModelError && error.cause.stopsNewCalls) throw new ChildStopped(error.cause, gained);
    return { reply: failedReply(error, gained.usage), trajectory: gained.trajectory };
  }
}

/** The policy with another model for the child's own turns, where the cell named one it may use. */
async function withRoot(models: ModelPolicy, name: string | undefined, depth: number): Promise<ModelPolicy> {
  if (name === undefined) return models;
  const { model } = await models.named(name, depth);
  return {
    fallbacks: models.fallbacks,
    depths: Math.max(models.depths, depth),
    at: (at) => (at === depth ? model : models.at(at)),
    named: (other, at) => models.named(other, at),
    withId: (id) => models.withId(id),
    inUse: (own) => models.inUse(own),
    standIn: (own, failure) => models.standIn(own, failure),
  };
}

function replyOf(result: CompletionResult<unknown>, child: ChildRequest): SubCallReply {
  const base = { text: result.text, truncated: false, usage: usageOf(result.usage) };
  if (result.outcome === 'converged') {
    return { ...base, ok: true, ...(child.output !== undefined && { valueJson: JSON.stringify(result.answer) }) };
  }
  return { ...base, ok: false, error: { code: 'exhausted', message: result.reason } };
}

function usageOf({ inputTokens, outputTokens, costUsd }: Usage): SubCallReply['usage'] {
  return { inputTokens, outputTokens, costUsd };
}

/** A value of the parent's memory as the child's context; a large one stays in the file it was spooled to. */
function guestContext(value: GuestValue): ContextSource {
  return contextSource(async () => {
    if (value.kind === 'file') return await lookAtFile(value.path, { as: value.as, encoding: value.encoding });
    const text = value.kind === 'text' ? value.text : value.json;
    const type = value.kind === 'text' ? 'str' : 'JSON';
    return { value, type, size: text.length, unit: 'characters', preview: previewText(text), empty: EMPTY.has(text) };
  });
}

/** Texts and JSON texts with nothing to inspect. */
const EMPTY: ReadonlySet<string> = new Set(['', 'null', '""', '[]', '{}']);
