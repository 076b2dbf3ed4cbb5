import { lookAtFile } from '../context/from-file.ts';
import type { ContextSource } from '../context/index.ts';
import { contextSource } from '../context/input.ts';
import { previewText } from '../context/preview.ts';
import { CompletionError, type CompletionResult } from '../engine/result.ts';
import type { Run, RunRequest } from '../engine/run.ts';
import type { RlmError } from '../errors.ts';
import type { Step } from '../journal/index.ts';
import type { Usage } from '../ledger/index.ts';
import { ModelError } from '../model/index.ts';
import type { ModelPolicy } from '../model/model-policy.ts';
import type { GuestValue, SubCallReply, SubCallRequest } from '../repl/port.ts';
import { digitKeepingSchema } from '../schema/json-schema-answer.ts';
import type { Trajectory } from '../trajectory.ts';
import { failedReply, openSlot } from './reply.ts';
import { type BoundValues, childSeeds } from './seed-values.ts';

/** A child completion as a cell asked for it. */
export interface ChildCall {
  readonly request: Extract<SubCallRequest, { kind: 'rlm' }>;
  readonly signal: AbortSignal;
  /** Its step of the journal. */
  readonly step: Step;
  /** Of the cell's REPL. */
  readonly bound: BoundValues;
}

/** The reply of a child, and how it was obtained. */
export interface ChildReply {
  readonly reply: SubCallReply;
  readonly trajectory: Trajectory;
}

/** A child was stopped together with its parent. No result is recorded for it; its usage and trajectory are kept. */
export class ChildStopped extends Error {
  override readonly cause: RlmError;
  readonly usage: SubCallReply['usage'];
  readonly trajectory: Trajectory;

  constructor(cause: RlmError, gained: { readonly usage: SubCallReply['usage']; readonly trajectory: Trajectory }) {
    super(cause.message);
    this.name = 'ChildStopped';
    this.cause = cause;
    this.usage = gained.usage;
    this.trajectory = gained.trajectory;
  }
}

/**
 * Runs a child completion: its own REPL, query and context, its own limits inside the tree's. Failures of the child
 * resolve, and so does the best answer of an exhausted child, with `ok: false`.
 *
 * @throws BudgetError when no sub-call is left
 * @throws ChildStopped when it was stopped together with its parent
 */
export async function callChild(call: ChildCall, parent: Run): Promise<ChildReply> {
  const { request, signal, step, bound } = call;
  const depth = parent.depth + 1;
  const models = await withRoot(parent.models, request.model, depth);
  const slot = openSlot(step, parent.ledger);
  try {
    const place = await parent.tree.children.enter(depth, signal);
    try {
      const child = step.child(parent.engine.newId());
      slot.sent();
      const started = { parent, request: childRequest(request, bound), asked: request, models, child, place, signal };
      const result = await parent.engine.runChild(started);
      return { reply: replyOf(result, request), trajectory: result.trajectory };
    } catch (error) {
      return failedChild(error, signal);
    } finally {
      place.leave();
    }
  } finally {
    slot.close();
  }
}

/** A child's failure is a result. A stop by its parent or of the whole run is not: the child is resumed with it. */
function failedChild(error: unknown, signal: AbortSignal): ChildReply {
  if (!(error instanceof CompletionError)) throw error;
  const gained = { usage: usageOf(error.result.usage), trajectory: error.result.trajectory };
  if (signal.aborted) throw new ChildStopped(error, gained);
  if (error.cause instanceof ModelError && error.cause.stopsNewCalls) throw new ChildStopped(error.cause, gained);
  return { reply: failedReply(error, gained.usage), trajectory: gained.trajectory };
}

/** The policy with another model for the child's own turns, where the cell named an allowed one. */
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

/** The request of a child for what a cell asked. */
export function childRequest(
  { query, context, output, seed }: ChildCall['request'],
  bound: BoundValues = new Map(),
): RunRequest {
  return {
    query,
    ...(context !== undefined && { context: guestContext(context) }),
    ...(seed !== undefined && { seed: childSeeds(seed, bound) }),
    ...(output !== undefined && { output: digitKeepingSchema(output, 'output schema') }),
  };
}

function replyOf(result: CompletionResult<unknown>, { output }: ChildCall['request']): SubCallReply {
  const base = { text: result.text, truncated: false, usage: usageOf(result.usage) };
  if (result.outcome === 'converged') {
    return { ...base, ok: true, ...(output !== undefined && { valueJson: JSON.stringify(result.answer) }) };
  }
  return { ...base, ok: false, error: { code: 'exhausted', message: result.reason } };
}

function usageOf({ inputTokens, outputTokens, costUsd }: Usage): SubCallReply['usage'] {
  return { inputTokens, outputTokens, costUsd };
}

/** A value of the parent's memory as the child's context; a large one stays in the file it was spooled to. */
function guestContext(value: GuestValue): ContextSource {
  return contextSource(async (room) => {
    if (value.kind === 'file') {
      const how = { as: value.as, encoding: value.encoding };
      const looked = await lookAtFile(value.path, how, { room, name: 'context' });
      // The file only transports the value: its name has no meaning for a model.
      const { description: _, notes: __, ...loaded } = looked;
      return loaded;
    }
    const text = value.kind === 'text' ? value.text : value.json;
    const type = value.kind === 'text' ? 'str' : 'JSON';
    return { value, type, size: text.length, unit: 'characters', preview: previewText(text), empty: EMPTY.has(text) };
  });
}

/** Texts and JSON texts with nothing to inspect. */
const EMPTY: ReadonlySet<string> = new Set(['', 'null', '""', '[]', '{}']);
