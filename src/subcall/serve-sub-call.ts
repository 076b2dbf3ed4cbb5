import { RestartTree } from '../engine/restart-tree.ts';
import { RlmError } from '../errors.ts';
import type { Step } from '../journal/index.ts';
import { BudgetError, type Resource } from '../ledger/index.ts';
import { type ChatMessage, type Model, ModelError } from '../model/index.ts';
import type { GuestValue, JsonValue, SubCallReply, SubCallRequest } from '../repl/port.ts';
import { checkJsonSchema } from '../schema/check-json-schema.ts';
import type { SubCall } from '../trajectory.ts';
import { ChildStopped } from './child-stopped.ts';
import type { SubCallContext } from './context.ts';
import { sha256OfFile } from './file-hash.ts';
import { flatPrompt } from './flat-prompt.ts';
import { placeFor } from './place.ts';
import { failedReply } from './reply.ts';
import { promptChars, subCallRecord } from './sub-call-record.ts';
import { typedReply } from './typed-reply.ts';

/** What a sub-call came to, as the journal records it. */
interface Served {
  readonly reply: SubCallReply;
  readonly child?: SubCall['child'];
  /** The ledger refused it for want of this; nothing was sent. */
  readonly refusedFor?: Resource;
}

/** Serves one sub-call of a cell: a flat model call or a child completion. Resolves for every failure of the call. */
export async function serveSubCall(
  request: SubCallRequest,
  signal: AbortSignal,
  context: SubCallContext,
): Promise<SubCallReply> {
  const startedAt = context.clock.now();
  const order = context.nextCall();
  const call = { callId: `${context.runId}/c${order}`, kind: request.kind } as const;
  const depth = context.depth + 1;
  const commandId = context.tally.command;
  const { model: asked, unknown } = await modelFor(request, context);
  context.emit({
    type: 'subcall.started',
    ...call,
    depth,
    model: asked.id,
    promptChars: promptChars(request),
    commandId,
  });
  const served =
    unknown === undefined
      ? await serve({ request, model: asked, signal, context, commandId }).catch(failedAs)
      : failedAs(unknown.error);
  const { reply, child } = served;
  const model = context.models.inUse(asked);
  const durationMs = context.clock.now() - startedAt;
  if (served.refusedFor !== undefined) context.refused(served.refusedFor, reply.error?.message ?? '');
  const record = subCallRecord({ id: call.callId, request, model: model.id, reply, child, durationMs });
  context.tally.add(record, { order, sent: served.refusedFor === undefined });
  context.emit({
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

interface Serving {
  readonly request: SubCallRequest;
  readonly model: Model;
  readonly signal: AbortSignal;
  readonly context: SubCallContext;
  readonly commandId: string;
}

async function serve(serving: Serving): Promise<Served> {
  const { request, context, commandId, model } = serving;
  const depth = context.depth + 1;
  if (depth > context.limits.maxDepth) throw noDepth(depth, context.limits.maxDepth);
  // Before anything is paid, and before a child opens a REPL.
  if (request.kind === 'rlm' && request.output !== undefined) checkJsonSchema(request.output, 'output schema');
  const place = {
    turn: context.tally.turn,
    command: commandId,
    ...(request.batch !== undefined && { task: `i${request.batch.index}` }),
  };
  if (request.kind === 'rlm' && depth < context.limits.maxDepth) {
    const asked = {
      query: request.query,
      context: await keyOf(request.context),
      model: model.id,
      output: request.output ?? null,
    };
    return await context.journal.step({ kind: 'child', ...place, request: asked }, (step) =>
      recorded(serving, () => child(serving, step)),
    );
  }
  const messages = request.kind === 'llm' ? messagesOf(request) : await flatPrompt(request, model, context.limits);
  const limit = context.limits.maxSubCallOutputTokens;
  const maxOutputTokens = Math.max(1, Math.min(request.kind === 'llm' ? (request.maxTokens ?? limit) : limit, limit));
  const asked = { model: model.id, messages, maxOutputTokens };
  return await context.journal.step({ kind: 'sub', ...place, request: asked }, (step) =>
    recorded(serving, () => flat(serving, { messages, maxOutputTokens, step })),
  );
}

/** Failures the cell sees are results, and recorded as such; what stops the run is thrown, and runs again on resume. */
async function recorded({ context, signal }: Serving, work: () => Promise<Served>): Promise<Served> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw error;
    const cause = error instanceof ChildStopped ? error.cause : error;
    if (cause instanceof RestartTree || (cause instanceof ModelError && cause.stopsNewCalls)) {
      context.fail(cause);
      throw error;
    }
    const refusal = error instanceof BudgetError ? { refusedFor: error.resource } : {};
    return { reply: failedReply(error), ...refusal };
  }
}

async function child({ request, context, signal }: Serving, step: Step): Promise<Served> {
  if (request.kind !== 'rlm') throw new TypeError('only an rlm_query starts a child');
  const { query, output, model } = request;
  const { reply, trajectory } = await context.runChild({
    query,
    context: request.context,
    model,
    output,
    signal,
    step,
  });
  return { reply, child: trajectory };
}

interface FlatCall {
  readonly messages: readonly ChatMessage[];
  readonly maxOutputTokens: number;
  readonly step: Step;
}

async function flat(
  { request, model, signal, context }: Serving,
  { messages, maxOutputTokens, step }: FlatCall,
): Promise<Served> {
  const depth = context.depth + 1;
  const read = request.kind === 'rlm' && request.output !== undefined ? context.answersOf(request.output) : undefined;
  const ticket = placeFor(step, context);
  try {
    const account = context.ledger.account({ kind: 'sub', depth, ticket });
    const reply = await context.callModel({
      ...{ model, messages, maxOutputTokens, depth, signal },
      purpose: 'sub',
      account: step.account(account),
    });
    const { inputTokens, outputTokens } = reply.usage;
    const usage = { inputTokens, outputTokens, costUsd: reply.costUsd };
    const said = { ok: true, text: reply.text, truncated: reply.finishReason === 'length', usage };
    return { reply: read === undefined ? said : await typedReply(said, read) };
  } finally {
    ticket.close();
  }
}

/**
 * The model of a call. Where nobody knows the one it names, that of its depth and the error: a call that fails for this
 * has an end, and so it has a beginning.
 */
async function modelFor(
  request: SubCallRequest,
  context: SubCallContext,
): Promise<{ readonly model: Model; readonly unknown?: { readonly error: unknown } }> {
  const depth = context.depth + 1;
  const model = context.models.at(depth);
  if (request.model === undefined) return { model };
  try {
    const named = await context.models.named(request.model, depth);
    if (named.fallback !== undefined) context.emit({ type: 'subcall.fallback', ...named.fallback });
    return { model: named.model };
  } catch (error) {
    return { model, unknown: { error } };
  }
}

const ROLES: ReadonlySet<string> = new Set(['system', 'user', 'assistant']);

function messagesOf(request: Extract<SubCallRequest, { kind: 'llm' }>): readonly ChatMessage[] {
  const system: ChatMessage[] = request.system === undefined ? [] : [{ role: 'system', content: request.system }];
  if (typeof request.prompt === 'string') return [...system, { role: 'user', content: request.prompt }];
  const chat = request.prompt.map(({ role, content }) => {
    if (ROLES.has(role)) return { role: role as ChatMessage['role'], content };
    throw new RlmError({
      code: 'bad-request',
      message: `A message has the role "${role}": use system, user or assistant.`,
      data: { role },
    });
  });
  return [...system, ...chat];
}

function noDepth(depth: number, maxDepth: number): RlmError {
  return new RlmError({
    code: 'budget',
    message: `A sub-call would run at depth ${depth}, and maxDepth is ${maxDepth}: go on with code alone.`,
    budget: true,
    data: { resource: 'depth', limitName: 'maxDepth', limit: maxDepth, left: 0 },
  });
}

/** What tells a child's context from another's in the journal. */
async function keyOf(value: GuestValue | undefined): Promise<JsonValue> {
  if (value === undefined) return null;
  if (value.kind === 'file') return { sha256: await sha256OfFile(value.path) };
  return value.kind === 'text' ? value.text : { json: value.json };
}
