import { lookAtFile } from '../context/from-file.ts';
import type { ContextSource } from '../context/index.ts';
import { contextSource } from '../context/input.ts';
import { previewText } from '../context/preview.ts';
import { BudgetError, type Usage } from '../ledger/index.ts';
import type { GuestValue, SubCallReply } from '../repl/port.ts';
import type { ChildReply, ChildRequest } from '../subcall/context.ts';
import type { ModelPolicy } from '../subcall/model-policy.ts';
import { failedReply } from '../subcall/reply.ts';
import type { Engine, RunIdentity } from './engine.ts';
import { openFrame } from './frame.ts';
import { jsonSchema } from './json-schema-answer.ts';
import type { ParentRun } from './prepare-run.ts';
import { CompletionError, type CompletionResult } from './result.ts';
import { runCompletion } from './run-completion.ts';

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
 */
export async function runChild(child: ChildRequest, { engine, parent, identity }: ChildOptions): Promise<ChildReply> {
  const ticket = parent.ledger.openSubCall();
  if (ticket instanceof BudgetError) throw ticket;
  const own: RunIdentity = { runId: engine.newId(), parentRunId: identity.runId, traceId: identity.traceId };
  const events = engine.openEvents(own, parent.events);
  const depth = parent.depth + 1;
  const models = await withRoot(parent.models, child.model, depth);
  const inherited: ParentRun = { ...parent, models };
  const frame = openFrame({ engine, limits: undefined, events, parent: inherited, signal: child.signal });
  ticket.sent();
  const request = {
    query: child.query,
    context: child.context === undefined ? undefined : guestContext(child.context),
    output: child.output === undefined ? undefined : jsonSchema(child.output),
  };
  try {
    const result = await runCompletion({ engine, request, identity: own, events, parent: inherited, frame });
    return { reply: replyOf(result, child), trajectory: result.trajectory };
  } catch (error) {
    if (!(error instanceof CompletionError)) throw error;
    return { reply: failedReply(error, usageOf(error.result.usage)), trajectory: error.result.trajectory };
  }
}

/** The policy with another model for the child's own turns, where the cell named one it may use. */
async function withRoot(models: ModelPolicy, name: string | undefined, depth: number): Promise<ModelPolicy> {
  if (name === undefined) return models;
  const { model } = await models.named(name, depth);
  return { ...models, at: (at) => (at === depth ? model : models.at(at)) };
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
    switch (value.kind) {
      case 'text':
        return {
          value,
          type: 'str',
          size: value.text.length,
          unit: 'characters',
          preview: previewText(value.text),
          empty: value.text === '',
        };
      case 'json':
        return {
          value,
          type: 'JSON',
          size: value.json.length,
          unit: 'characters',
          preview: previewText(value.json),
          empty: EMPTY_JSON.has(value.json),
        };
      case 'file':
        return await lookAtFile(value.path, { as: value.as, encoding: value.encoding });
    }
  });
}

const EMPTY_JSON: ReadonlySet<string> = new Set(['null', '""', '[]', '{}']);
