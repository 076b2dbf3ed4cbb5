import { sha256OfFile } from '../context/scan-file.ts';
import { RestartTree } from '../engine/restart.ts';
import type { Run } from '../engine/run.ts';
import { stopOfResource } from '../engine/stop-control.ts';
import { RlmError } from '../errors.ts';
import { BudgetError, type Resource } from '../ledger/index.ts';
import { type Model, ModelError } from '../model/index.ts';
import type { GuestValue, JsonValue, SubCallReply, SubCallRequest } from '../repl/port.ts';
import { checkJsonSchema } from '../schema/check-json-schema.ts';
import type { SubCall } from '../trajectory.ts';
import { ChildStopped, callChild } from './child-run.ts';
import { flatCall, sendFlatCall } from './flat-call.ts';
import { failedReply } from './reply.ts';
import { type BoundValues, seedKey, withSeedText } from './seed-values.ts';
import { promptChars, recordedMessages, subCallRecord } from './sub-call-record.ts';
import type { SubCallTally } from './tally.ts';

/** The cell that makes a sub-call. */
export interface Caller {
  readonly run: Run;
  readonly tally: SubCallTally;
  /** Of its REPL. */
  readonly bound: BoundValues;
}

/** The result of a sub-call, as the journal records it. */
interface Served {
  readonly reply: SubCallReply;
  readonly child?: SubCall['child'];
  /** The resource for lack of which the ledger refused it; nothing was sent. */
  readonly refusedFor?: Resource;
}

/** Serves one sub-call of a cell: a flat model call or a child completion. Every failure of the call resolves. */
export async function serveSubCall(
  request: SubCallRequest,
  signal: AbortSignal,
  caller: Caller,
): Promise<SubCallReply> {
  const { run, tally } = caller;
  const startedAt = run.clock.now();
  const order = tally.nextCall();
  const call = { callId: `${run.id}/c${order}`, kind: request.kind } as const;
  const depth = run.depth + 1;
  const commandId = tally.command;
  const { model: asked, unknown } = await modelFor(request, run);
  const chars = promptChars(request);
  if (request.kind === 'llm') tally.noteFlatCall({ chars, batched: request.batch !== undefined });
  run.emit({
    type: 'subcall.started',
    ...call,
    depth,
    model: asked.id,
    promptChars: chars,
    commandId,
    ...(request.kind === 'llm' && request.images !== undefined && { images: request.images.length }),
    ...(request.batch !== undefined && { batch: { id: request.batch.id, count: request.batch.count } }),
  });
  const served =
    unknown === undefined
      ? await serve({ ...caller, request, model: asked, signal, commandId, callId: call.callId }).catch(failedAs)
      : failedAs(unknown.error);
  const { reply, child, refusedFor } = served;
  const model = run.models.inUse(asked);
  const durationMs = run.clock.now() - startedAt;
  if (refusedFor !== undefined) {
    tally.refuse(refusedFor);
    run.reportLimit({ stop: stopOfResource(refusedFor), reason: reply.error?.message ?? '' }, tally.turn);
  }
  const record = subCallRecord({ id: call.callId, request, model: model.id, reply, child, durationMs });
  tally.add(record, { order, sent: refusedFor === undefined });
  run.emit({
    type: 'subcall.completed',
    ...call,
    model: model.id,
    ok: reply.ok,
    ...(reply.error !== undefined && { code: reply.error.code }),
    ...(child !== undefined && { childRunId: child.runId }),
    ...reply.usage,
    durationMs,
  });
  return reply;
}

function failedAs(error: unknown): Served {
  if (error instanceof ChildStopped) return { reply: failedReply(error.cause, error.usage), child: error.trajectory };
  return { reply: failedReply(error) };
}

interface Serving extends Caller {
  readonly request: SubCallRequest;
  readonly model: Model;
  readonly signal: AbortSignal;
  /** The command that asked, which may have ended since. */
  readonly commandId: string;
  readonly callId: string;
}

async function serve(serving: Serving): Promise<Served> {
  const { request, run, tally, model, signal, callId, bound } = serving;
  const depth = run.depth + 1;
  if (depth > run.limits.maxDepth) throw noDepth(depth, run.limits.maxDepth);
  // Before anything is paid, and before a child opens a REPL.
  if (request.kind === 'rlm' && request.output !== undefined) checkJsonSchema(request.output, 'output schema');
  const task = request.batch === undefined ? {} : { task: `i${request.batch.index}` };
  const asWords = { callId, kind: request.kind, model: model.id };
  const place = { turn: tally.turn, command: serving.commandId, ...task };
  if (request.kind === 'rlm' && depth < run.limits.maxDepth) {
    const { query, output = null, seed } = request;
    const seeds = seed === undefined ? {} : { seed: seedKey(seed) };
    const key = { query, context: await keyOf(request.context), model: model.id, output, ...seeds };
    const asked = { ...asWords, messages: recordedMessages([{ role: 'user', content: query }]) };
    return await run.journal.step({ kind: 'child', ...place, request: key, asked }, (step) =>
      recordable(serving, async () => {
        const { reply, trajectory } = await callChild({ request, signal, step, bound }, run);
        return { reply, child: trajectory };
      }),
    );
  }
  const flat = request.kind === 'rlm' ? await withSeedText(request, bound, run.limits.promptBytes) : request;
  const call = await flatCall(flat, model, run.limits);
  const { messages, maxOutputTokens } = call;
  const key = { model: model.id, messages, maxOutputTokens };
  const asked = { ...asWords, messages: recordedMessages(messages) };
  return await run.journal.step({ kind: 'sub', ...place, request: key, asked }, (step) =>
    recordable(serving, async () => ({ reply: await sendFlatCall(call, { run, step, signal }) })),
  );
}

/** Failures that the cell sees are results and are recorded; an error that stops the run is thrown, and a resume retries. */
async function recordable({ run, signal }: Serving, work: () => Promise<Served>): Promise<Served> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw error;
    const cause = error instanceof ChildStopped ? error.cause : error;
    if (cause instanceof RestartTree || (cause instanceof ModelError && cause.stopsNewCalls)) {
      run.stop.fail(cause);
      throw error;
    }
    const refusal = error instanceof BudgetError ? { refusedFor: error.resource } : {};
    return { reply: failedReply(error), ...refusal };
  }
}

/**
 * The model of a call. For an unknown name: the model of its depth, and the error. Even such a call emits its start and
 * its end.
 */
async function modelFor(
  request: SubCallRequest,
  run: Run,
): Promise<{ readonly model: Model; readonly unknown?: { readonly error: unknown } }> {
  const depth = run.depth + 1;
  const model = run.models.at(depth);
  if (request.model === undefined) return { model };
  try {
    const named = await run.models.named(request.model, depth);
    if (named.fallback !== undefined) run.emit({ type: 'subcall.fallback', ...named.fallback });
    return { model: named.model };
  } catch (error) {
    return { model, unknown: { error } };
  }
}

function noDepth(depth: number, maxDepth: number): RlmError {
  return new RlmError({
    code: 'budget',
    message: `A sub-call would run at depth ${depth}, and maxDepth is ${maxDepth}: continue with code alone.`,
    budget: true,
    data: { resource: 'depth', limitName: 'maxDepth', limit: maxDepth, left: 0 },
  });
}

/** Identifies a child's context in the key of its journal step. */
async function keyOf(value: GuestValue | undefined): Promise<JsonValue> {
  if (value === undefined) return null;
  if (value.kind === 'file') return { sha256: await sha256OfFile(value.path) };
  return value.kind === 'text' ? value.text : { json: value.json };
}
