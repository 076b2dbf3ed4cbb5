import { RlmError } from '../errors.ts';
import { BudgetError } from '../ledger/index.ts';
import type { ChatMessage, Model } from '../model/port.ts';
import type { GuestValue, SubCallReply, SubCallRequest } from '../repl/port.ts';
import type { SubCall } from '../trajectory.ts';
import type { SubCallContext } from './context.ts';
import { flatPrompt } from './flat-prompt.ts';
import { failedReply } from './reply.ts';

/** Characters of a prompt kept at each end in the trajectory. */
const KEPT_CHARS = 2_000;

interface Served {
  readonly reply: SubCallReply;
  readonly child?: SubCall['child'];
  /** Something was sent: a model call, or a child's first turn. */
  readonly sent: boolean;
}

/** Serves one sub-call of a cell: a flat model call or a child completion. Resolves for every failure of the call. */
export async function serveSubCall(
  request: SubCallRequest,
  signal: AbortSignal,
  context: SubCallContext,
): Promise<SubCallReply> {
  const startedAt = context.clock.now();
  const commandId = context.tally.command;
  const callId = `${context.runId}/${context.nextCallId()}`;
  let model = context.models.at(context.depth + 1);
  let served: Served;
  try {
    model = await modelFor(request, context);
    context.emit({
      type: 'subcall.started',
      callId,
      kind: request.kind,
      depth: context.depth + 1,
      model: model.id,
      promptChars: promptChars(request),
      commandId,
    });
    served = await serve({ request, model, signal, context, commandId });
  } catch (error) {
    if (error instanceof BudgetError) context.tally.refuse(error.resource);
    served = { reply: failedReply(error), sent: !(error instanceof BudgetError) };
  }
  const { reply } = served;
  const durationMs = context.clock.now() - startedAt;
  context.tally.count(reply.ok, served.sent);
  context.record(recordOf({ callId, request, model, served, durationMs }));
  context.emit({
    type: 'subcall.completed',
    callId,
    kind: request.kind,
    model: model.id,
    ok: reply.ok,
    ...(reply.error !== undefined && { code: reply.error.code }),
    ...(served.child !== undefined && { childRunId: served.child.runId }),
    ...reply.usage,
    durationMs,
  });
  return reply;
}

interface Serving {
  readonly request: SubCallRequest;
  readonly model: Model;
  readonly signal: AbortSignal;
  readonly context: SubCallContext;
  readonly commandId: string;
}

async function serve(serving: Serving): Promise<Served> {
  const { request, context, signal, commandId } = serving;
  const depth = context.depth + 1;
  if (depth > context.limits.maxDepth) throw noDepth(depth, context.limits.maxDepth);
  if (request.kind === 'rlm' && depth < context.limits.maxDepth) {
    const { query, output, model } = request;
    const { reply, trajectory } = await context.runChild({
      query,
      context: request.context,
      model,
      output,
      signal,
      path: commandId,
    });
    return { reply, child: trajectory, sent: true };
  }
  return await flatCall(serving, depth);
}

async function flatCall({ request, model, signal, context, commandId }: Serving, depth: number): Promise<Served> {
  const ticket = context.ledger.openSubCall();
  if (ticket instanceof BudgetError) throw ticket;
  try {
    const asked = request.kind === 'llm' ? (request.maxTokens ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    const reply = await context.callModel({
      model,
      messages: request.kind === 'llm' ? messagesOf(request) : await flatPrompt(request, model, context.limits),
      maxOutputTokens: Math.max(1, Math.min(asked, context.limits.maxSubCallOutputTokens)),
      purpose: 'sub',
      depth,
      signal,
      account: context.ledger.account({ kind: 'sub', depth, ticket }),
      path: commandId,
    });
    const usage = {
      inputTokens: reply.usage.inputTokens,
      outputTokens: reply.usage.outputTokens,
      costUsd: reply.costUsd,
    };
    return { reply: { ok: true, text: reply.text, truncated: reply.finishReason === 'length', usage }, sent: true };
  } finally {
    ticket.close();
  }
}

async function modelFor(request: SubCallRequest, context: SubCallContext): Promise<Model> {
  const depth = context.depth + 1;
  if (request.model === undefined) return context.models.at(depth);
  const { model, fallback } = await context.models.named(request.model, depth);
  if (fallback !== undefined) context.emit({ type: 'subcall.fallback', ...fallback });
  return model;
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
    data: { limitName: 'maxDepth', limit: maxDepth },
  });
}

interface Recorded {
  readonly callId: string;
  readonly request: SubCallRequest;
  readonly model: Model;
  readonly served: Served;
  readonly durationMs: number;
}

function recordOf({ callId, request, model, served, durationMs }: Recorded): SubCall {
  const { reply, child } = served;
  return {
    id: callId,
    kind: request.kind,
    model: model.id,
    prompt: bounded(promptText(request)),
    reply: reply.text,
    ok: reply.ok,
    ...(reply.error !== undefined && { error: { code: reply.error.code, message: reply.error.message } }),
    usage: reply.usage,
    durationMs,
    ...(child !== undefined && { child }),
  };
}

function promptText(request: SubCallRequest): string {
  if (request.kind === 'rlm') return request.query;
  return typeof request.prompt === 'string'
    ? request.prompt
    : request.prompt.map((message) => message.content).join('\n');
}

function promptChars(request: SubCallRequest): number {
  if (request.kind === 'llm') return promptText(request).length;
  return request.query.length + (request.context === undefined ? 0 : contextSize(request.context));
}

/** Characters of a value in memory, bytes of one in a file. */
function contextSize(value: GuestValue): number {
  if (value.kind === 'file') return value.bytes;
  return value.kind === 'text' ? value.text.length : value.json.length;
}

function bounded(text: string): string {
  if (text.length <= 2 * KEPT_CHARS) return text;
  return `${text.slice(0, KEPT_CHARS)}\n[… ${text.length - 2 * KEPT_CHARS} characters …]\n${text.slice(-KEPT_CHARS)}`;
}
