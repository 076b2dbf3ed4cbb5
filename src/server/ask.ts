/**
 * Shared by both APIs of OpenAI: the request of a run, its start, and its usage.
 *
 * @module
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { defined } from '../defined.ts';
import { withAnswerBound } from '../door/answer.ts';
import type { AskedRequest } from '../door/messages.ts';
import { ignoredSettings, modelSettings, withRootSettings } from '../door/parameters.ts';
import type { CompletionResult } from '../engine/result.ts';
import { RlmError } from '../errors.ts';
import type { RunEvent } from '../event/event.ts';
import type { ReasoningEffort } from '../model/model-settings.ts';
import type { CompletionRequest, CompletionRun } from '../run/run-handle.ts';
import { digitKeepingSchema } from '../schema/json-schema-answer.ts';
import type { JsonBody } from './body.ts';
import type { ServedModel } from './server-options.ts';
import { inField, invalidField } from './wire-messages.ts';

/** A question as a client of OpenAI's API asks it. */
export interface Asked {
  readonly model: string;
  readonly asked: AskedRequest;
  readonly output: StandardSchemaV1 | undefined;
  readonly maxOutputTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly reasoningEffort: ReasoningEffort | undefined;
}

/** The request of its run. @throws RlmError `model-not-found` */
export function completionRequest(
  { model, asked, output, maxOutputTokens, temperature, reasoningEffort }: Asked,
  models: Readonly<Record<string, ServedModel>>,
): CompletionRequest<unknown> {
  const served = servedModel(model, models);
  const settings = modelSettings(defined({ temperature, reasoningEffort }));
  const instructions = withAnswerBound(asked.instructions, maxOutputTokens);
  return {
    ...served,
    ...asked,
    ...(instructions !== undefined && { instructions }),
    ...(output !== undefined && { output }),
    ...(settings !== undefined && { modelSettings: withRootSettings(served.modelSettings, settings) }),
  };
}

/** The configuration of a model by its name. @throws RlmError `model-not-found` */
export function servedModel(name: string, models: Readonly<Record<string, ServedModel>>): ServedModel {
  const found = Object.hasOwn(models, name) ? models[name] : undefined;
  if (found !== undefined) return found;
  throw new RlmError({
    code: 'model-not-found',
    message: `This server has no model ${JSON.stringify(name.slice(0, 100))}; it has ${Object.keys(models).join(', ')}.`,
    userAction: true,
    data: { param: 'model' },
  });
}

/** The schema of the answer that a format of either API asks for. @throws RlmError `invalid-option` */
export function outputOf(
  format: Readonly<Record<string, unknown>> | undefined,
  { schema, param }: { readonly schema: unknown; readonly param: string },
): StandardSchemaV1 | undefined {
  if (format === undefined || format.type === 'text') return undefined;
  if (format.type === 'json_object') return answerSchema({ type: 'object' }, param);
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw invalidField(param, 'json_schema needs a schema, which is an object');
  }
  return answerSchema(schema as JsonBody, param);
}

/** The schema of an answer, which the field `param` holds. @throws RlmError `invalid-option` for one that is not usable */
export function answerSchema(schema: JsonBody, param: string): StandardSchemaV1 {
  return inField(param, () => digitKeepingSchema(schema, param));
}

/** Settings of the wire form that have no effect, for the header `x-fathom-warnings`. */
export function warningsOf(sampling: Readonly<Record<string, unknown>>, { store }: JsonBody): string | undefined {
  const kept = ignoredSettings(store === false ? { store } : {}, 'the store of the server has every run');
  const warnings = [...ignoredSettings(sampling), ...kept];
  return warnings.length === 0 ? undefined : warnings.map(({ message }) => message).join(' ');
}

const BEGUN: ReadonlySet<RunEvent['type']> = new Set(['run.started', 'run.queued', 'run.resumed']);

/**
 * Resolves when a run has begun or waits for a REPL, so that a request that cannot be right is answered with its status
 * and not within a stream. @throws the run's error when it fails before that
 */
export async function untilBegun(run: CompletionRun<unknown>): Promise<void> {
  for await (const event of run) if (event.runId === run.id && BEGUN.has(event.type)) return;
  await run;
}

/** Facts of a run that the API of OpenAI has no place for. */
export function fathomFacts({
  runId,
  outcome,
  stop,
  usage,
  isolation,
  turns,
  subCalls,
}: CompletionResult<unknown>): JsonBody {
  return {
    ...{ run_id: runId, outcome, stop, turns, sub_calls: subCalls, isolation, cost_usd: usage.costUsd },
  };
}
